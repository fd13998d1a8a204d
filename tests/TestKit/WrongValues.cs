using Xunit;

namespace Bff.TestKit;

/// <summary>Keys with a value that is none of theirs: a host that is started with them names every one.</summary>
public static class WrongValues
{
    /// <summary>What any host reads.</summary>
    public static readonly Dictionary<string, string?> OfAnyHost = new()
    {
        ["State:Timeout"] = "00:01:00",
        ["Shutdown:Delay"] = "-00:00:01",
        ["Admission:MaxConcurrency"] = "0",
        ["Admission:MaxQueue"] = "-1",
        ["AllowedHosts"] = "https://api.example.com",
        ["PublicUrl"] = "api.example.com",
        ["Cors:Origins:0"] = "*",
        ["ForwardedHeaders:KnownProxies:0"] = "10.0.0.0/8",
        ["ForwardedHeaders:KnownNetworks:0"] = "0.0.0.0/0",
        ["Headers:Forward:0"] = "Cookie",
        ["Authentication:KeyRefresh"] = "00:00:00",
        ["Authentication:Revocation:Retention"] = "soon",
        ["Authentication:Revocation:OnStoreFailure"] = "Ignore",
        ["Authentication:SharedSecrets:0"] = "short",
        ["Plans:odd:RequestsPerMinute"] = "0",
        ["Plans:odd:Burst"] = "many",
        ["Plans:odd:RequestsPerDay"] = "-5",
        ["Plans:odd:MaxPayloadBytes"] = "big",
        ["Plans:odd:Endpoints"] = "some",
        ["Plans:odd:OnStoreFailure"] = "Open",
        ["Plans:odd:Overage"] = "perhaps",
        ["Limits:Mode"] = "Roughly",
        ["Limits:Endpoints:search:Cost"] = "0",
        ["Limits:Endpoints:search:RequestsPerMinute"] = "0",
        ["Limits:Endpoints:search:Burst"] = "none",
        ["Tenants:odd:Plan"] = "nobodys",
        ["Tenants:odd:RateLimit:RequestsPerMinute"] = "0",
        ["Tenants:odd:RateLimit:Burst"] = "0",
        ["Tenants:odd:AllowedEndpoints:0"] = "no-slash",
        ["Tenants:odd:CustomDomain"] = "https://shop.example.com",
        ["Tenants:odd:DedicatedUpstreams:users:Address"] = "not an address",
        ["Tenants:odd:Priority"] = "urgent",
        ["Tenants:odd:MaxConcurrency"] = "0",
        ["Composition:Deadline"] = "0",
        ["Upstreams:odd:Address"] = "not an address",
        ["Upstreams:users:Timeout"] = "1 second",
        ["Upstreams:users:Retries"] = "6",
        ["Upstreams:users:HedgeAfter"] = "00:00:00",
        ["Upstreams:users:Breaker:FailureRatio"] = "2",
        ["Upstreams:users:Breaker:MinimumThroughput"] = "1",
        ["Upstreams:users:Breaker:SamplingDuration"] = "00:00:00",
        ["Upstreams:users:Breaker:BreakDuration"] = "00:00:00",
        ["Upstreams:users:MaxConcurrency"] = "0",
        ["Upstreams:users:MaxQueue"] = "-1",
        ["Upstreams:users:MaxResponseBytes"] = "10",
        ["Upstreams:users:Canary:Percent"] = "101",
        ["Upstreams:users:Canary:Header"] = "no-value",
        ["Upstreams:users:Fallback"] = "nobody",
        ["Upstreams:users:ClientCertificate:Path"] = "/no/such/file.pem",
        ["Upstreams:users:ServerCa:Path"] = "/no/such/ca.pem",
        ["Upstreams:users:Http2"] = "maybe",
        ["Upstreams:users:ForwardAuthorization"] = "maybe",
        ["Events:Retention"] = "00:00:00",
        ["Events:MaxLength"] = "10",
        ["ReverseProxy:Routes:odd:ClusterId"] = "nobody",
    };

    /// <summary>Fails unless the host refuses to start and names each key.</summary>
    /// <param name="start">Starts the host.</param>
    /// <param name="settings">What is wrong.</param>
    public static void AreRefused(Action<Dictionary<string, string?>> start, IReadOnlyDictionary<string, string?> settings)
    {
        // A share of the callers is only read beside the address that they go to.
        var said = Assert.ThrowsAny<Exception>(() => start(new(settings) { ["Upstreams:users:Canary:Address"] = "http://127.0.0.1:1" })).ToString();

        Assert.Empty(settings.Keys.Where(k => !said.Contains(k.EndsWith(":0", StringComparison.Ordinal) ? k[..^2] : k, StringComparison.OrdinalIgnoreCase)).ToList());
    }
}
