using Bff.Configuration;
using Yarp.ReverseProxy.Configuration;

namespace Bff.Routes;

/// <summary><c>ReverseProxy:Routes:&lt;name&gt;</c>, in YARP's own format.</summary>
[Settings("ReverseProxy:Routes:<name>")]
internal sealed class RouteSettings
{
    /// <summary>Upstream that serves the route.</summary>
    [Setting(Range = "an upstream's name", Default = "none; required")]
    public string? ClusterId { get; init; }

    /// <summary>Priority of the route. Routes with a lower number are matched first.</summary>
    [Setting(Default = "none")]
    public int? Order { get; init; }

    /// <summary>
    /// <c>Anonymous</c> admits callers without a credential. On every other route <c>Metadata:Scope</c> names the scope that callers need.
    /// </summary>
    [Setting(Range = "`Anonymous`", Default = "none")]
    public string? AuthorizationPolicy { get; init; }

    /// <summary>Largest request body in bytes, instead of the plan's limit. -1 allows any size.</summary>
    [Setting(Min = -1, Default = "the plan's")]
    public long? MaxRequestBodySize { get; init; }

    /// <summary>Path that the route serves, as an ASP.NET Core route pattern.</summary>
    [Setting(
        Key = "Match:Path",
        Range = "a path that begins with a slash; without `{**` on an anonymous route",
        Default = "none; required"
    )]
    public string? Path { get; init; }

    /// <summary>HTTP methods that the route serves.</summary>
    [Setting(Key = "Match:Methods", Default = "all")]
    public string[]? Methods { get; init; }

    /// <summary>Host names that the route serves.</summary>
    [Setting(Key = "Match:Hosts", Default = "all")]
    public string[]? Hosts { get; init; }

    /// <summary>The scope that callers need.</summary>
    [Setting(Key = "Metadata:Scope", Range = "a scope; none on an anonymous route", Default = "none; required unless anonymous")]
    public string? Scope { get; init; }

    /// <summary>Name of the route in limits and metrics.</summary>
    [Setting(Key = "Metadata:Endpoint", Range = "any text", Default = "the route's name")]
    public string? Endpoint { get; init; }

    /// <summary>With <c>none</c> requests to the route do not count towards the caller's limits.</summary>
    [Setting(Key = "Metadata:Limits", Range = "`none`", Default = "the plan's")]
    public string? Limits { get; init; }

    /// <summary>A response or WebSocket that transfers nothing for this long is closed.</summary>
    [Setting(
        Key = "Metadata:IdleTimeout",
        Min = "00:00:01",
        Max = "1.00:00:00",
        Default = "`00:01:40`; `01:00:00` for WebSockets, event streams and gRPC streams"
    )]
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>Protocol of the route.</summary>
    [Setting(Key = "Metadata:Protocol")]
    public RouteProtocol Protocol { get; init; }

    /// <summary>Whether browsers may call a gRPC route by gRPC-Web.</summary>
    [Setting(Key = "Metadata:GrpcWeb")]
    public bool GrpcWeb { get; init; }

    /// <summary>Maximum depth of nested fields in a request to a GraphQL route.</summary>
    [Setting(Key = "Metadata:MaxDepth", Min = 1, Max = 100)]
    public int MaxDepth { get; init; } = 15;

    /// <summary>
    /// Maximum number of aliases in a request to a GraphQL route. The aliases of a fragment count each time the fragment is spread.
    /// </summary>
    [Setting(Key = "Metadata:MaxAliases", Min = 0, Max = 10_000)]
    public int MaxAliases { get; init; } = 30;

    /// <summary>Whether clients may read the schema through a GraphQL route (introspection).</summary>
    [Setting(Key = "Metadata:Introspection")]
    public bool Introspection { get; init; } = true;

    /// <summary>
    /// File with the only operations that a GraphQL route accepts: a JSON object of documents by id, or an Apollo manifest.
    /// </summary>
    [Setting(
        Key = "Metadata:PersistedQueries:Path",
        Range = "a readable list of operations, each within the route's limits",
        Default = "none: any operation"
    )]
    public string? PersistedQueries { get; init; }

    /// <summary>YARP's transforms, and <c>CallerPath</c>: a path that may contain the caller, such as <c>/users/{sub}</c>.</summary>
    [Setting(Key = "Transforms:<n>", Also = "Transforms:<n>:<name>", Range = "as YARP documents them", Default = "none")]
    public IReadOnlyDictionary<string, string>? Transform { get; init; }
}

/// <summary><c>ReverseProxy:Routes:&lt;name&gt;:Match:Headers:&lt;n&gt;</c>.</summary>
[Settings("ReverseProxy:Routes:<name>:Match:Headers:<n>")]
internal sealed class HeaderSettings
{
    /// <summary>Name of a header that the request must have.</summary>
    [Setting]
    public string Name { get; init; } = "";

    /// <summary>Values of the header that match.</summary>
    [Setting(Default = "any")]
    public string[]? Values { get; init; }

    /// <summary>How the header's value is compared.</summary>
    [Setting]
    public HeaderMatchMode Mode { get; init; }

    /// <summary>Whether the comparison is case-sensitive.</summary>
    [Setting]
    public bool IsCaseSensitive { get; init; }
}

/// <summary><c>ReverseProxy:Routes:&lt;name&gt;:Match:QueryParameters:&lt;n&gt;</c>.</summary>
[Settings("ReverseProxy:Routes:<name>:Match:QueryParameters:<n>")]
internal sealed class QueryParameterSettings
{
    /// <summary>Name of a query parameter that the request must have.</summary>
    [Setting]
    public string Name { get; init; } = "";

    /// <summary>Values of the parameter that match.</summary>
    [Setting(Default = "any")]
    public string[]? Values { get; init; }

    /// <summary>How the parameter's value is compared.</summary>
    [Setting]
    public QueryParameterMatchMode Mode { get; init; }

    /// <summary>Whether the comparison is case-sensitive.</summary>
    [Setting]
    public bool IsCaseSensitive { get; init; }
}
