namespace PartnerBff.Tests.Account;

/// <summary>Partners' applications call with client-credentials tokens of each provider in docs/providers.</summary>
public sealed class ProviderPageTests(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    public static TheoryData<string> Pages => [.. ProviderPage.Names];

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task An_application_reads_its_tenant_s_orders_and_is_no_user(string name)
    {
        await using var page = await ProviderPage.Start(name);
        var settings = page.Settings.Where(s => !s.Key.StartsWith("Session:", StringComparison.Ordinal)).ToDictionary();
        var tenant = name switch
        {
            "entra" => ProviderPage.Tenant,
            "cognito" => "partner",
            _ => "partner-tenant",
        };
        settings[$"Tenants:{tenant}:Plan"] = "pro";
        if (name == "cognito")
        {
            settings["Authentication:Providers:cognito:Claims:Tenant:0"] = "client_id";
            settings["Authentication:Providers:cognito:AllowedClients:1"] = "partner";
        }

        settings["Upstreams:orders:Token:Mode"] = "Client";
        var host = Start(settings);
        var token = page.ApplicationToken();

        await Eventually.True(async () => (await Send(host, HttpMethod.Get, "/v1/orders?limit=1", token)).StatusCode == HttpStatusCode.OK);

        var call = Upstream.Orders.Calls.All[^1];
        Assert.Equal(("partner", null, tenant), (call.Header("X-Client-Id"), call.Header("X-User-Id"), call.Header("X-Tenant-Id")));
        Assert.StartsWith("Bearer ", call.Header("Authorization"), StringComparison.Ordinal);
    }
}
