using Xunit;

namespace Bff.TestKit;

/// <summary>Keys with invalid values: a host that is started with them reports every one.</summary>
public static class WrongValues
{
    /// <summary>Settings that every host reads.</summary>
    public static readonly Dictionary<string, string?> OfAnyHost = new()
    {
        ["State:Timeout"] = "00:01:00",
        ["State:AllowEmbedded"] = "perhaps",
        ["State:Replicas"] = "-1",
        ["Settings:Unknown"] = "Ignore",
        ["ConnectionStrings:redis"] = "127.0.0.1:1,nonsense=1",
        ["State:Redis:PasswordFile"] = "/no/such/file",
        ["State:Redis:ServerCa:Path"] = "/no/such/ca.pem",
        ["State:Redis:ClientCertificate:Path"] = "/no/such/file.pem",
        ["State:Redis:ClientCertificate:KeyPath"] = "/no/such/key.pem",
        ["State:Redis:ClientCertificate:Password"] = "wrong",
        ["AccessLog:Enabled"] = "perhaps",
        ["Identity:SignedAssertion"] = "perhaps",
        ["Shutdown:Delay"] = "-00:00:01",
        ["Admission:MaxConcurrency"] = "0",
        ["Admission:MaxQueue"] = "-1",
        ["AllowedHosts"] = "https://api.example.com",
        ["PublicUrl"] = "api.example.com",
        ["Cors:Origins:0"] = "*",
        ["ForwardedHeaders:KnownProxies:0"] = "10.0.0.0/8",
        ["ForwardedHeaders:KnownNetworks:0"] = "0.0.0.0/0",
        ["Headers:Forward:0"] = "Cookie",
        ["Headers:Return:0"] = "Set-Cookie",
        ["Kestrel:Limits:MaxRequestBodySize"] = "-1",
        ["Kestrel:Limits:MinRequestBodyDataRate:BytesPerSecond"] = "-1",
        ["Kestrel:Limits:MinRequestBodyDataRate:GracePeriod"] = "00:00:01",
        ["Kestrel:Limits:MinResponseDataRate:BytesPerSecond"] = "slow",
        ["Kestrel:Limits:MinResponseDataRate:GracePeriod"] = "00:00:00",
        ["Kestrel:Limits:KeepAliveTimeout"] = "00:00:00",
        ["Kestrel:Limits:RequestHeadersTimeout"] = "never",
        ["Kestrel:Limits:MaxConcurrentConnections"] = "0",
        ["Kestrel:Limits:MaxConcurrentUpgradedConnections"] = "-1",
        ["Kestrel:Limits:MaxRequestBufferSize"] = "0",
        ["Kestrel:Limits:MaxResponseBufferSize"] = "-1",
        ["Kestrel:Limits:MaxRequestHeaderCount"] = "0",
        ["Kestrel:Limits:MaxRequestHeadersTotalSize"] = "1",
        ["Kestrel:Limits:MaxRequestLineSize"] = "1",
        ["Kestrel:Limits:Http2:MaxStreamsPerConnection"] = "0",
        ["Kestrel:Limits:Http2:HeaderTableSize"] = "-1",
        ["Kestrel:Limits:Http2:MaxFrameSize"] = "1",
        ["Kestrel:Limits:Http2:MaxRequestHeaderFieldSize"] = "1",
        ["Kestrel:Limits:Http2:InitialConnectionWindowSize"] = "1",
        ["Kestrel:Limits:Http2:InitialStreamWindowSize"] = "1",
        ["Kestrel:Limits:Http2:KeepAlivePingDelay"] = "00:00:00",
        ["Kestrel:Limits:Http2:KeepAlivePingTimeout"] = "00:00:00",
        ["Kestrel:Limits:Http3:MaxRequestHeaderFieldSize"] = "1",
        ["Authentication:KeyRefresh"] = "00:00:00",
        ["Authentication:Schemes:Bearer:RequireHttpsMetadata"] = "perhaps",
        ["Authentication:Schemes:Bearer:BackchannelTimeout"] = "00:00:00",
        ["Authentication:Schemes:Bearer:SigningKeys:0:Value"] = "not base64",
        ["Authentication:Schemes:Bearer:Type"] = "Somebody",
        ["Authentication:Schemes:Bearer:RolesAsScopes"] = "perhaps",
        ["Authentication:Schemes:Bearer:MaxTokenBytes"] = "100000",
        ["Authentication:Schemes:Bearer:AllowedTenants:0"] = "no/tenant",
        ["Authentication:Schemes:Bearer:ScopeAliases:odd"] = "two scopes",
        ["Authentication:Providers:odd:Type"] = "Somebody",
        ["Authentication:Providers:odd:RolesAsScopes"] = "perhaps",
        ["Authentication:Providers:odd:MaxTokenBytes"] = "100000",
        ["Authentication:Providers:odd:AllowedTenants:0"] = "no/tenant",
        ["Authentication:Providers:odd:ScopeAliases:odd"] = "two scopes",
        ["Authentication:Providers:odd:Authority"] = "not an address",
        ["Authentication:Providers:other:MetadataAddress"] = "not an address",
        ["Authentication:Providers:odd:RequireHttpsMetadata"] = "perhaps",
        ["Authentication:Providers:odd:BackchannelTimeout"] = "00:00:00",
        ["Authentication:Providers:odd:SigningKeys:0:Value"] = "not base64",
        ["Authentication:Introspection:Endpoint"] = "not an address",
        ["Authentication:Introspection:ClientId"] = "",
        ["Authentication:Introspection:ClientSecret"] = "",
        ["Authentication:Introspection:Timeout"] = "00:00:00",
        ["Authentication:Introspection:NegativeCache"] = "01:00:00",
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
        ["Plans:odd:OverageCeiling"] = "0",
        ["FailedCredentials:PerMinute"] = "0",
        ["FailedCredentials:Burst"] = "many",
        ["Limits:Mode"] = "Roughly",
        ["Limits:Endpoints:search:Cost"] = "0",
        ["Limits:Endpoints:search:RequestsPerMinute"] = "0",
        ["Limits:Endpoints:search:Burst"] = "none",
        ["Tenants:odd:Plan"] = "nobodys",
        ["Tenants:odd:RateLimit:RequestsPerMinute"] = "0",
        ["Tenants:odd:RateLimit:Burst"] = "0",
        ["Tenants:odd:AllowedEndpoints:0"] = "no-slash",
        ["Tenants:odd:AllowedAddresses:0"] = "203.0.113.0/33",
        ["Tenants:odd:CustomDomain"] = "https://shop.example.com",
        ["Tenants:odd:DedicatedUpstreams:users:Address"] = "not an address",
        ["Tenants:odd:Priority"] = "urgent",
        ["Tenants:odd:MaxConcurrency"] = "0",
        ["Audit:Retention"] = "00:00:01",
        ["Audit:MaxEntries"] = "1",
        ["Composition:Deadline"] = "0",
        ["Upstreams:odd:Address"] = "not an address",
        ["Upstreams:several:Addresses:0"] = "not an address",
        ["Upstreams:orders:Canary:Address"] = "not an address",
        ["Upstreams:orders:Shadow:Address"] = "not an address",
        ["Upstreams:users:Timeout"] = "1 second",
        ["Upstreams:users:Retries"] = "6",
        ["Upstreams:users:HedgeAfter"] = "00:00:00",
        ["Upstreams:users:VaryBy:0"] = "X-Unknown",
        ["Upstreams:users:Breaker:FailureRatio"] = "2",
        ["Upstreams:users:Breaker:MinimumThroughput"] = "1",
        ["Upstreams:users:Breaker:SamplingDuration"] = "00:00:00",
        ["Upstreams:users:Breaker:BreakDuration"] = "00:00:00",
        ["Upstreams:users:MaxConcurrency"] = "0",
        ["Upstreams:users:MaxQueue"] = "-1",
        ["Upstreams:users:MaxResponseBytes"] = "10",
        ["Upstreams:users:Canary:Percent"] = "101",
        ["Upstreams:users:Canary:Header"] = "no-value",
        ["Upstreams:users:Shadow:Percent"] = "101",
        ["Upstreams:users:Shadow:Compare"] = "perhaps",
        ["Upstreams:users:Fallback"] = "nobody",
        ["Upstreams:users:ClientCertificate:Path"] = "/no/such/file.pem",
        ["Upstreams:users:ClientCertificate:KeyPath"] = "/no/such/key.pem",
        ["Upstreams:users:ClientCertificate:Password"] = "wrong",
        ["Upstreams:users:ServerCa:Path"] = "/no/such/ca.pem",
        ["Upstreams:users:Http2"] = "maybe",
        ["Upstreams:users:ForwardAuthorization"] = "maybe",
        ["Upstreams:users:Token:Mode"] = "Somebodys",
        ["Upstreams:users:Token:Otherwise"] = "Perhaps",
        ["Upstreams:users:Token:Resource"] = "no address",
        ["Upstreams:exchanged:Token:Client"] = "nobody",
        ["Clients:odd:Authority"] = "not an address",
        ["Clients:odd:ClientId"] = "",
        ["Clients:odd:RequireHttpsMetadata"] = "perhaps",
        ["Clients:odd:ClientAuthentication"] = "Handshake",
        ["Clients:odd:Type"] = "Homemade",
        ["Clients:odd:Timeout"] = "00:00:00",
        ["Clients:odd:PrivateKey:Path"] = "/no/such/key.pem",
        ["Clients:other:TokenEndpoint"] = "not an address",
        ["Clients:other:ClientCredentials:0:SourceType"] = "Whatever",
        ["Clients:other:Certificate:Path"] = "/no/such/file.pem",
        ["Clients:other:Certificate:KeyPath"] = "/no/such/key.pem",
        ["Clients:other:Certificate:Password"] = "wrong",
        ["Events:Retention"] = "00:00:00",
        ["Events:MaxLength"] = "10",
        ["ReverseProxy:Routes:odd:ClusterId"] = "nobody",
        ["ReverseProxy:Routes:wrong:Order"] = "first",
        ["ReverseProxy:Routes:wrong:AuthorizationPolicy"] = "Somebody",
        ["ReverseProxy:Routes:wrong:MaxRequestBodySize"] = "-2",
        ["ReverseProxy:Routes:wrong:Match:Path"] = "no-slash",
        ["ReverseProxy:Routes:wrong:Metadata:Scope"] = "",
        ["ReverseProxy:Routes:wrong:Match:Headers:0:Mode"] = "Roughly",
        ["ReverseProxy:Routes:wrong:Match:Headers:0:IsCaseSensitive"] = "perhaps",
        ["ReverseProxy:Routes:wrong:Match:QueryParameters:0:Mode"] = "Roughly",
        ["ReverseProxy:Routes:wrong:Match:QueryParameters:0:IsCaseSensitive"] = "perhaps",
        ["ReverseProxy:Routes:wrong:Metadata:Limits"] = "some",
        ["ReverseProxy:Routes:wrong:Metadata:IdleTimeout"] = "00:00:00",
        ["ReverseProxy:Routes:wrong:Metadata:Protocol"] = "smoke",
        ["ReverseProxy:Routes:wrong:Metadata:GrpcWeb"] = "perhaps",
        ["ReverseProxy:Routes:wrong:Metadata:MaxDepth"] = "0",
        ["ReverseProxy:Routes:wrong:Metadata:MaxAliases"] = "-1",
        ["ReverseProxy:Routes:wrong:Metadata:Introspection"] = "perhaps",
        ["ReverseProxy:Routes:wrong:Metadata:PersistedQueries:Path"] = "/no/such/file.json",
        ["ReverseProxy:Routes:transformed:ClusterId"] = "users",
        ["ReverseProxy:Routes:transformed:Match:Path"] = "/transformed",
        ["ReverseProxy:Routes:transformed:Metadata:Scope"] = "api",
        ["ReverseProxy:Routes:transformed:Transforms:0:NoSuchTransform"] = "value",
    };

    /// <summary>Settings that the mobile gateway reads.</summary>
    public static readonly Dictionary<string, string?> OfMobile = new(OfAnyHost)
    {
        ["Authentication:Schemes:Bearer:Authority"] = "not an address",
        ["Composition:home-feed:FirstAfter"] = "-00:00:01",
        ["Composition:home-feed:user:Timeout"] = "0",
        ["Composition:home-feed:recommendations:Fresh"] = "-00:00:01",
        ["Composition:home-feed:recommendations:Stale"] = "8.00:00:00",
        ["Composition:home-feed:recommendations:Revalidate"] = "2.00:00:00",
        ["Composition:home-feed:orders:Enabled"] = "sometimes",
        ["Images:Decode"] = "perhaps",
        ["Images:MaxPixels"] = "0",
        ["Images:MaxDecodes"] = "0",
        ["Images:MaxWaiting"] = "-1",
        ["Images:CacheBytes"] = "-1",
        ["Images:CacheFor"] = "-00:00:01",
    };

    /// <summary>Settings that the web gateway reads.</summary>
    public static readonly Dictionary<string, string?> OfWeb = new(OfAnyHost)
    {
        ["Authentication:Schemes:Bearer:MetadataAddress"] = "not an address",
        ["Session:Authority"] = "not an address",
        ["Session:Provider"] = "nobody",
        ["Session:ClientAuthentication"] = "Handshake",
        ["Session:PrivateKey:Path"] = "/no/such/key.pem",
        ["Session:AuthorizeParameters:state"] = "fixed",
        ["Session:LoginParameters:0"] = "redirect_uri",
        ["Session:PushedAuthorization"] = "Perhaps",
        ["Session:UserInfo"] = "Perhaps",
        ["Session:IdTokenHint"] = "perhaps",
        ["Session:ReturnOrigins:0"] = "https://elsewhere.example",
        ["Session:Home"] = "//elsewhere.example",
        ["Session:ClientId"] = "",
        ["Session:ClientSecret"] = "",
        ["Session:Scopes"] = "email",
        ["Session:RequireHttpsMetadata"] = "maybe",
        ["Session:IdleTimeout"] = "00:00:00",
        ["Session:AbsoluteTimeout"] = "91.00:00:00",
        ["Session:RefreshBefore"] = "-00:00:01",
        ["Session:AnonymousUser"] = "Nobody",
        ["Composition:dashboard:user:Timeout"] = "0",
    };

    /// <summary>Settings that the partner gateway reads.</summary>
    public static readonly Dictionary<string, string?> OfPartner = new(OfAnyHost)
    {
        ["Authentication:Schemes:Bearer:Authority"] = "not an address",
        ["Session:Scopes"] = "email",
        ["Sandbox:Upstreams:orders:Timeout"] = "1 second",
        ["ApiKeys:Pepper"] = "short",
        ["ApiKeys:MaxStale"] = "2.00:00:00",
        ["ApiKeys:Bootstrap:acme"] = "pk_live_mistyped",
        ["Versions:v1:Deprecation"] = "yesterday",
        ["Versions:v1:Sunset"] = "tomorrow",
        ["Versions:v1:Link"] = "nowhere",
        ["Versions:v1:Successor"] = "nothing",
        ["Webhooks:Schedule:0"] = "-00:00:01",
        ["Webhooks:Timeout"] = "00:00:00",
        ["Webhooks:Jitter"] = "2",
        ["Webhooks:DisableAfter"] = "00:00:00",
        ["Webhooks:AllowPrivateNetworks"] = "perhaps",
        ["Webhooks:Ports:0"] = "0",
        ["Mcp:Enabled"] = "perhaps",
    };

    /// <summary>
    /// Returns the key in the report: a list's own key, or a transform's route, because only the proxy knows the transform.
    /// </summary>
    private static string Named(string key) =>
        key.StartsWith("ReverseProxy:Routes:transformed", StringComparison.Ordinal) ? "ReverseProxy:Routes:transformed"
        : key.EndsWith(":0", StringComparison.Ordinal) ? key[..^2]
        : key;

    /// <summary>Fails unless the host refuses to start and names each key.</summary>
    /// <param name="start">Starts the host.</param>
    /// <param name="settings">The invalid settings.</param>
    public static void AreRefused(Action<Dictionary<string, string?>> start, IReadOnlyDictionary<string, string?> settings)
    {
        // A canary's percentage is only read beside its address, and a route only with its upstream.
        var said = Assert
            .ThrowsAny<Exception>(() =>
                start(
                    new(settings)
                    {
                        ["Upstreams:users:Canary:Address"] = "http://127.0.0.1:1",
                        ["Upstreams:users:Shadow:Address"] = "http://127.0.0.1:1",
                        ["ReverseProxy:Routes:wrong:ClusterId"] = "users",
                        ["Upstreams:exchanged:Address"] = "http://127.0.0.1:1",
                        ["Upstreams:exchanged:Token:Mode"] = "Client",
                    }
                )
            )
            .ToString();

        var unnamed = settings.Keys.Select(Named).Where(k => !said.Contains(k, StringComparison.OrdinalIgnoreCase)).ToList();
        Assert.True(unnamed.Count == 0, $"Not named: {string.Join(", ", unnamed)}; said: {said}");
    }
}
