using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Bff.Dev.Upstreams;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Bff.TestKit;

/// <summary>A section of the configuration that is taken while running.</summary>
/// <param name="Edit">An edit with a visible effect.</param>
/// <param name="Mistake">An invalid edit in the same section.</param>
/// <param name="Seen">Returns the visible effect.</param>
public sealed record Reload((string Key, string? Value)[] Edit, (string Key, string Value) Mistake, Func<Task<string?>> Seen)
{
    /// <summary>Settings before the edit, if the defaults would take effect too late.</summary>
    public (string Key, string? Value)[] Before { get; init; } = [];
}

/// <summary>Where a host shows the effects of common settings.</summary>
/// <param name="Credential">Credential of a caller of the tenant acme.</param>
/// <param name="Plan">The caller's plan.</param>
/// <param name="Scope">A scope of the caller.</param>
/// <param name="Orders">A path of the endpoint <c>orders</c>, whose part <c>orders</c> calls the service of that name.</param>
/// <param name="Routed">A path that a configured route forwards.</param>
/// <param name="Service">The service that the route calls.</param>
/// <param name="Added">A path for a further route.</param>
public sealed record ReloadPlaces(string Credential, string Plan, string Scope, string Orders, string Routed, string Service, string Added);

/// <summary>Edits the configuration of a running host section by section.</summary>
public sealed partial class Reloads
{
    /// <summary>The sections that every host reads.</summary>
    public static readonly Dictionary<string, Func<Reloads, Reload>> OfAnyHost = new()
    {
        ["Upstreams"] = r =>
            new(
                [("Upstreams:orders:Address", r._upstream.Users.Address.ToString())],
                ("Upstreams:orders:Timeout", "never"),
                () => r.Asked(r._places.Orders)
            ),
        ["Upstreams, through YARP"] = r =>
            new(
                [($"Upstreams:{r._places.Service}:Address", r._upstream.Users.Address.ToString())],
                ($"Upstreams:{r._places.Service}:Retries", "-1"),
                () => r.Asked(r._places.Routed)
            ),
        ["ReverseProxy"] = r =>
            new(
                [
                    ("ReverseProxy:Routes:added:ClusterId", r._places.Service),
                    ("ReverseProxy:Routes:added:Match:Path", r._places.Added),
                    ("ReverseProxy:Routes:added:Metadata:Scope", r._places.Scope),
                    ("ReverseProxy:Routes:added:Transforms:0:PathSet", "/any"),
                ],
                ("ReverseProxy:Routes:added:AuthorizationPolicy", "Everybody"),
                () => r.Asked(r._places.Added)
            ),
        ["Tenants"] = r =>
            new([("Tenants:acme:AllowedEndpoints:0", "/elsewhere/**")], ("Tenants:acme:Plan", "nobodys"), () => r.Status(r._places.Orders)),
        ["Plans"] = r =>
            new([($"Plans:{r._places.Plan}:Burst", "7")], ($"Plans:{r._places.Plan}:Burst", "many"), () => r.Header("RateLimit-Policy")),
        ["Limits"] = r =>
            new(
                [("Limits:Endpoints:orders:RequestsPerMinute", "600"), ("Limits:Endpoints:orders:Burst", "600")],
                ("Limits:Endpoints:orders:Cost", "0"),
                () => r.Header("X-RateLimit-Limit")
            ),
        ["Clients"] = r =>
            new(
                [
                    ("Clients:added:Authority", r._authority),
                    ("Clients:added:RequireHttpsMetadata", "false"),
                    ("Clients:added:ClientId", "gateway"),
                    ("Clients:added:ClientSecret", "gateway-development-secret"),
                    ("Clients:added:Timeout", "00:00:30"),
                    ($"Upstreams:{r._places.Service}:Token:Mode", "Client"),
                    ($"Upstreams:{r._places.Service}:Token:Client", "added"),
                ],
                ("Clients:added:Timeout", "never"),
                async () =>
                {
                    using var answer = await r.Get(r._places.Routed);
                    return r._upstream[r._places.Service].Calls.All[^1].Header("Authorization") is null ? "without" : "with";
                }
            ),
        ["Settings"] = r =>
            new(
                [("Settings:Unknown", "Warn"), ("Loyalty:Points", "1"), ($"Plans:{r._places.Plan}:Burst", "8")],
                ("Settings:Unknown", "Perhaps"),
                () => r.Header("RateLimit-Policy")
            ),
        ["FailedCredentials"] = r =>
            new(
                [("FailedCredentials:Burst", "100000"), ("FailedCredentials:PerMinute", "100000")],
                ("FailedCredentials:Burst", "0"),
                r.Forged
            )
            {
                Before = [("FailedCredentials:Burst", "1"), ("FailedCredentials:PerMinute", "60")],
            },
        ["Composition"] = r =>
            new(
                [("Composition:orders:orders:Enabled", "false")],
                ("Composition:orders:orders:Stale", "never"),
                () => r.Status(r._places.Orders)
            ),
        ["AllowedHosts"] = r =>
            new([("AllowedHosts", "api.example.com")], ("AllowedHosts", "https://api.example.com"), () => r.Status(r._places.Orders)),
        ["PublicUrl"] = r =>
            new(
                [("PublicUrl", "https://api.example.com")],
                ("PublicUrl", "nowhere"),
                async () =>
                {
                    using var answer = await r.Get("/none");
                    return (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["type"];
                }
            ),
        ["Cors"] = r =>
            new(
                [("Cors:Origins:0", "https://a.example.com")],
                ("Cors:Origins:1", "*"),
                () => r.Header(AllowOrigin, ("Origin", "https://a.example.com"))
            ),
        ["Headers"] = r =>
            new(
                [("Headers:Forward:0", "X-Extra")],
                ("Headers:Forward:1", "Cookie"),
                async () =>
                {
                    using var answer = await r.Get(r._places.Routed, ("X-Extra", "1"));
                    return r._upstream[r._places.Service].Calls.All[^1].Header("X-Extra");
                }
            ),
    };

    private const string AllowOrigin = "Access-Control-Allow-Origin";

    private readonly ReloadPlaces _places;
    private readonly SampleServices _upstream;
    private readonly string _authority;
    private readonly HttpClient _client;
    private readonly LogRecorder _log;
    private readonly IConfiguration _settings;
    private readonly Action<(string Key, string? Value)[]> _configure;

    private Reloads(
        ReloadPlaces places,
        SampleServices upstream,
        string authority,
        HttpClient client,
        LogRecorder log,
        IConfiguration settings,
        Action<(string Key, string? Value)[]> configure
    ) =>
        (_places, _upstream, _authority, _client, _log, _settings, _configure) = (
            places,
            upstream,
            authority,
            client,
            log,
            settings,
            configure
        );

    /// <summary>The sections that are taken while running according to <c>docs/operations.md</c>.</summary>
    public static IEnumerable<string> Listed =>
        ListedOnPage()
            .Match(File.ReadAllText(Checkout.At("docs", "operations.md")))
            .Groups[1]
            .Value.Split(',')
            .Select(s => s.Trim(' ', '\n', '`', '.'));

    public static Reloads Of<TEntryPoint>(GatewayHost<TEntryPoint> host, ReloadPlaces places)
        where TEntryPoint : class
    {
        ArgumentNullException.ThrowIfNull(host);
        return new(
            places,
            host.Surroundings.Services,
            host.Surroundings.Identity.Authority,
            host.Client,
            host.Log,
            host.Services.GetRequiredService<IConfiguration>(),
            host.Configure
        );
    }

    /// <summary>Returns the reload of the client id with which a browser is sent to the provider.</summary>
    /// <param name="login">The sign-in address.</param>
    public Reload Session(string login) =>
        new(
            [("Session:ClientId", "other-client")],
            ("Session:IdleTimeout", "never"),
            async () =>
            {
                using var answer = await _client.GetAsync(login);
                return ClientId().Match(answer.Headers.Location?.Query ?? "").Value;
            }
        );

    /// <summary>
    /// Checks that an edit is taken while running, an invalid one is refused as a whole, and the next valid one is taken.
    /// </summary>
    public async Task Take(Reload reload)
    {
        ArgumentNullException.ThrowIfNull(reload);
        var (edit, mistake, seen) = reload;
        _configure([.. reload.Before, ("Cors:Origins:9", "https://b.example.com")]);
        await Eventually.True(async () => await Admitted("https://b.example.com"));
        var before = await seen();
        (string Key, string? Value)[] original =
        [
            .. edit.Select(e => e.Key).Append(mistake.Key).Distinct().Select(key => (key, _settings[key])),
        ];

        _configure(edit);
        await Eventually.True(async () => await seen() != before);
        var after = await seen();

        // The valid parts of an invalid edit are not taken either, in this section or in another.
        _configure([.. original, ("Cors:Origins:9", "https://c.example.com"), mistake]);
        await _log.Until(e => e.Event.Name == "ConfigurationEditRefused" && e.Message.Contains(mistake.Key, StringComparison.Ordinal));
        Assert.Equal(after, await seen());
        Assert.False(await Admitted("https://c.example.com"));

        _configure(original);
        await Eventually.True(async () => await seen() == before);
        Assert.True(await Admitted("https://c.example.com"));
    }

    /// <summary>Returns the services that a request reaches.</summary>
    public async Task<string?> Asked(string path, string? credential = null)
    {
        _upstream.Reset();
        using var answer = await Get(path, ("Authorization", "Bearer " + (credential ?? _places.Credential)));
        return string.Join(',', _upstream.All.Where(s => s.Calls.Count > 0).Select(s => s.Name));
    }

    public async Task<string?> Status(string path, string? credential = null)
    {
        using var answer = await Get(path, ("Authorization", "Bearer " + (credential ?? _places.Credential)));
        return answer.StatusCode.ToString();
    }

    /// <summary>Whether an address that sends many invalid credentials has to wait.</summary>
    private async Task<string?> Forged()
    {
        var waits = false;
        for (var i = 0; i < 20; i++)
        {
            waits |= await Status(_places.Orders, _places.Credential[..^4] + "AAAA") == nameof(HttpStatusCode.TooManyRequests);
        }

        return waits ? "waits" : "goes on";
    }

    /// <summary>Returns a header of the answer with the orders.</summary>
    public async Task<string?> Header(string name, params (string Name, string Value)[] sent)
    {
        using var answer = await Get(_places.Orders, sent);
        return answer.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : null;
    }

    private async Task<bool> Admitted(string origin) => await Header(AllowOrigin, ("Origin", origin)) == origin;

    private Task<HttpResponseMessage> Get(string path, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path)
        {
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", _places.Credential) },
        };
        foreach (var (name, value) in headers)
        {
            request.Headers.Remove(name);
            request.Headers.Add(name, value);
        }

        return _client.SendAsync(request);
    }

    [GeneratedRegex("client_id=[^&]*")]
    private static partial Regex ClientId();

    [GeneratedRegex(@"\*\*Taken while running:\*\*([^*]*?)\n- ")]
    private static partial Regex ListedOnPage();
}
