namespace Bff.Dev.Stack;

/// <summary>Prints addresses and example calls when everything runs.</summary>
internal static class Banner
{
    public static void Print(RunningStack stack, ExampleCalls calls)
    {
        Console.WriteLine();
        Row("MobileBff", StackPlan.Mobile, "for the mobile app");
        Row("WebBff", StackPlan.Web, "for the browser app");
        Row("PartnerBff", StackPlan.Partner, "for partners");
        Row("browser app", StackPlan.Web + "/", "sign in as alice; break a service and watch the parts degrade");
        Row("partner portal", StackPlan.Partner + "/portal", "sign in as carol; documentation at /docs");
        Row("sign-in", StackPlan.IdentityProvider, "development identity provider: alice, bob, carol, dave");
        foreach (var service in StackPlan.Services)
        {
            Row(service, StackPlan.Address(service).GetLeftPart(UriPartial.Authority), "sample service");
        }

        foreach (var host in calls.All.GroupBy(c => c.Host))
        {
            Console.WriteLine();
            Console.WriteLine($"# {host.Key}");
            foreach (var call in host)
            {
                Console.WriteLine(call.Curl);
            }
        }

        Console.WriteLine();
        Console.WriteLine($"API key of the tenant acme: {stack.ApiKey}");
        Console.WriteLine("Ctrl+C stops everything.");
    }

    private static void Row(string name, string address, string note) => Console.WriteLine($"  {name, -16} {address, -32} {note}");
}
