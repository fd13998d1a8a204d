using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace PartnerBff.Tests.Configuration;

/// <summary>Every section that <c>docs/operations.md</c> calls taken while running, on a running host; this one reads them all.</summary>
public sealed partial class ReloadTests(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    private static readonly string OtherKey = ApiKeyFormat.New(isTest: false);

    /// <summary>An edit that shows, how it shows, and a mistake in the same section.</summary>
    private sealed record Reload((string Key, string? Value)[] Edit, (string Key, string Value) Mistake, Func<ReloadTests, PartnerHost, Task<string?>> Seen);

    private static Dictionary<string, Func<ReloadTests, Reload>> Cases { get; } = new()
    {
        ["Upstreams"] = t => new(
            [("Upstreams:orders:Address", t.Sandbox.Orders.Address.ToString())], ("Upstreams:orders:Timeout", "never"), (_, host) => t.Asked(host, "/v1/orders", AcmeKey)),
        ["Upstreams, through YARP"] = t => new(
            [("Upstreams:shipping:Address", t.Sandbox.Shipping.Address.ToString())], ("Upstreams:shipping:Retries", "-1"), (_, host) => t.Asked(host, "/v1/shipments?orderId=o-1", AcmeKey)),
        ["Sandbox"] = t => new(
            [("Sandbox:Upstreams:orders:Address", t.Upstream.Orders.Address.ToString())], ("Sandbox:Upstreams:orders:Timeout", "never"), (_, host) => t.Asked(host, "/v1/orders", AcmeTestKey)),
        ["ReverseProxy"] = t => new(
            [
                ("ReverseProxy:Routes:parcels:ClusterId", "shipping"), ("ReverseProxy:Routes:parcels:Match:Path", "/v1/parcels"),
                ("ReverseProxy:Routes:parcels:Metadata:Scope", "orders.read"), ("ReverseProxy:Routes:parcels:Transforms:0:PathSet", "/shipments"),
            ],
            ("ReverseProxy:Routes:parcels:AuthorizationPolicy", "Everybody"), (_, host) => t.Asked(host, "/v1/parcels?orderId=o-1", AcmeKey)),
        ["Tenants"] = _ => new(
            [("Tenants:acme:AllowedEndpoints:0", "/v1/products/**")], ("Tenants:acme:Plan", "nobodys"), (_, host) => Status(host, "/v1/account")),
        ["Plans"] = _ => new([("Plans:enterprise:Burst", "7")], ("Plans:enterprise:Burst", "many"), (_, host) => Header(host, "RateLimit-Policy")),
        ["Limits"] = _ => new(
            [("Limits:Endpoints:account:RequestsPerMinute", "600"), ("Limits:Endpoints:account:Burst", "600")], ("Limits:Endpoints:account:Cost", "0"),
            (_, host) => Header(host, "X-RateLimit-Limit")),
        ["Composition"] = _ => new(
            [("Composition:orders:orders:Enabled", "false")], ("Composition:orders:orders:Stale", "never"), (_, host) => Status(host, "/v1/orders")),
        ["ApiKeys"] = _ => new(
            [("ApiKeys:Bootstrap:initech", OtherKey)], ("ApiKeys:Bootstrap:globex", "pk_live_short"), (_, host) => Status(host, "/v1/account", OtherKey)),
        ["Versions"] = _ => new(
            [("Versions:v1:Deprecation", "2026-01-01T00:00:00Z")], ("Versions:v1:Sunset", "soon"), (_, host) => Header(host, "Deprecation")),
        ["AllowedHosts"] = _ => new([("AllowedHosts", "partner-api.example.com")], ("AllowedHosts", "https://partner-api.example.com"), (_, host) => Status(host, "/v1/account")),
        ["PublicUrl"] = _ => new([("PublicUrl", "https://partner-api.example.com")], ("PublicUrl", "nowhere"), async (_, host) => (string?)(await Problem(await Get(host, "/v1/none", AcmeKey), 404, "not_found"))["type"]),
        ["Cors"] = _ => new([("Cors:Origins:0", "https://a.example.com")], ("Cors:Origins:1", "*"), (_, host) => Header(host, "Access-Control-Allow-Origin", "https://a.example.com")),
        ["Headers"] = t => new([("Headers:Forward:0", "X-Extra")], ("Headers:Forward:1", "Cookie"), async (_, host) =>
        {
            using var answer = await host.Client.SendAsync(new(HttpMethod.Get, "/v1/shipments?orderId=o-1") { Headers = { { "Authorization", "Bearer " + AcmeKey }, { "X-Extra", "1" } } });
            return t.Upstream.Shipping.Calls.All[^1].Header("X-Extra");
        }),
        ["Session"] = _ => new([("Session:ClientId", "other-client")], ("Session:IdleTimeout", "never"), async (_, host) =>
        {
            using var answer = await host.Client.GetAsync("/portal/login?returnUrl=%2Fportal");
            return ClientId().Match(answer.Headers.Location?.Query ?? "").Value;
        }),
    };

    public static TheoryData<string> Sections => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Sections))]
    public async Task An_edit_is_taken_while_running_a_wrong_one_is_refused_as_a_whole_and_the_next_good_one_is_taken(string section)
    {
        var host = Start(new() { ["Session:Authority"] = Surroundings.Identity.Authority, ["ApiKeys:Bootstrap:globex"] = AcmeTestKey, ["Cors:Origins:9"] = "https://b.example.com" });
        var (edit, mistake, seen) = Cases[section](this);
        var before = await seen(this, host);
        var settings = host.Services.GetRequiredService<IConfiguration>();
        (string Key, string? Value)[] original = [.. edit.Select(e => e.Key).Append(mistake.Key).Distinct().Select(key => (key, settings[key]))];

        host.Configure(edit);
        await Eventually.True(async () => await seen(this, host) != before);
        var after = await seen(this, host);

        // What is right in a wrong edit is not taken either: neither here nor in another section.
        host.Configure([.. original, ("Cors:Origins:9", "https://c.example.com"), mistake]);
        await host.Log.Until(e => e.Level == LogLevel.Error && e.Message.Contains(mistake.Key, StringComparison.Ordinal) && e.Message.Contains("refused as a whole", StringComparison.Ordinal));
        Assert.Equal(after, await seen(this, host));
        Assert.Null(await Header(host, "Access-Control-Allow-Origin", "https://c.example.com"));

        host.Configure(original);
        await Eventually.True(async () => await seen(this, host) == before);
        Assert.Equal("https://c.example.com", await Header(host, "Access-Control-Allow-Origin", "https://c.example.com"));
    }

    [Fact]
    public void Every_section_that_the_page_lists_is_tried()
    {
        var page = File.ReadAllText(Checkout.At("docs", "operations.md"));
        var listed = Listed().Match(page).Groups[1].Value.Split(',').Select(s => s.Trim(' ', '\n', '`', '.'));

        Assert.Equal(listed.Order(), Cases.Keys.Where(k => !k.Contains(',', StringComparison.Ordinal)).Order());
    }

    /// <summary>Which of the two sets of services was asked: theirs or the sandbox's; nothing when none was.</summary>
    private async Task<string?> Asked(PartnerHost host, string path, string key)
    {
        Upstream.Reset();
        Sandbox.Reset();
        using var answer = await Get(host, path, key);
        return (Upstream.All.Any(s => s.Calls.Count > 0), Sandbox.All.Any(s => s.Calls.Count > 0)) switch { (true, false) => "live", (false, true) => "sandbox", _ => null };
    }

    private static async Task<string?> Status(PartnerHost host, string path, string? key = null)
    {
        using var answer = await Get(host, path, key ?? AcmeKey);
        return answer.StatusCode.ToString();
    }

    private static async Task<string?> Header(PartnerHost host, string name, string? origin = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/v1/account") { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", AcmeKey) } };
        if (origin is not null)
        {
            request.Headers.Add("Origin", origin);
        }

        using var answer = await host.Client.SendAsync(request);
        return answer.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : null;
    }

    [GeneratedRegex("client_id=[^&]*")]
    private static partial Regex ClientId();

    [GeneratedRegex(@"\*\*Taken while running:\*\*([^*]*?)\n- ")]
    private static partial Regex Listed();
}
