using System.Text.Json;

namespace Bff.Dev.Stack;

/// <summary>
/// Settings with which a gateway gets tokens for services that check them: its own, or one for which the user's token is exchanged.
/// </summary>
internal static class ServiceTokens
{
    /// <summary>
    /// Services that answer each user differently. Answers of the others are cached for everybody, so a user's token must not fetch them.
    /// </summary>
    private static readonly string[] OfUsers = ["users", "orders", "notifications", "shipping", "search"];

    public static void Add(Dictionary<string, string?> settings, string host)
    {
        settings["Clients__default__Authority"] = StackPlan.IdentityProvider;
        settings["Clients__default__RequireHttpsMetadata"] = "false";
        settings["Clients__default__ClientId"] = "gateway";
        settings["Clients__default__ClientSecret"] = "gateway-development-secret";
        foreach (var service in ServicesOf(host))
        {
            settings[$"Upstreams__{service}__Token__Audience"] = service;
            settings[$"Upstreams__{service}__Token__Mode"] = OfUsers.Contains(service) ? "Exchange" : "Client";
            settings[$"Upstreams__{service}__Token__Otherwise"] = "Client"; // API keys have no token to exchange.
        }
    }

    private static List<string> ServicesOf(string host)
    {
        using var settings = JsonDocument.Parse(
            File.ReadAllText(Path.Combine(Repository.Root, "src", host, "appsettings.Development.json"))
        );
        return [.. settings.RootElement.GetProperty("Upstreams").EnumerateObject().Select(u => u.Name)];
    }
}
