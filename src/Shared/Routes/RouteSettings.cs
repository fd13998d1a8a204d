using Bff.Configuration;
using Yarp.ReverseProxy.Configuration;

namespace Bff.Routes;

/// <summary><c>ReverseProxy:Routes:&lt;name&gt;</c>, in YARP's own format.</summary>
[Settings("ReverseProxy:Routes:<name>")]
internal sealed class RouteSettings
{
    /// <summary>Where its requests go.</summary>
    [Setting(Range = "an upstream's name", Default = "none; required")]
    public string? ClusterId { get; init; }

    /// <summary>Routes of a lower number are tried first.</summary>
    [Setting(Default = "none")]
    public int? Order { get; init; }

    /// <summary><c>Anonymous</c> admits callers without a credential; else <c>Metadata:Scope</c> names the scope that they need.</summary>
    [Setting(Range = "`Anonymous`", Default = "none")]
    public string? AuthorizationPolicy { get; init; }

    /// <summary>Largest body in bytes, whatever the plan says; -1: any.</summary>
    [Setting(Min = -1, Default = "the plan's")]
    public long? MaxRequestBodySize { get; init; }

    /// <summary>A pattern as endpoint routing reads them.</summary>
    [Setting(
        Key = "Match:Path",
        Range = "a path that begins with a slash; without `{**` on an anonymous route",
        Default = "none; required"
    )]
    public string? Path { get; init; }

    /// <summary>Methods that it serves.</summary>
    [Setting(Key = "Match:Methods", Default = "all")]
    public string[]? Methods { get; init; }

    /// <summary>Hosts that it serves.</summary>
    [Setting(Key = "Match:Hosts", Default = "all")]
    public string[]? Hosts { get; init; }

    /// <summary>The scope that callers need.</summary>
    [Setting(Key = "Metadata:Scope", Range = "a scope; none on an anonymous route", Default = "none; required unless anonymous")]
    public string? Scope { get; init; }

    /// <summary>Its name for limits and metrics.</summary>
    [Setting(Key = "Metadata:Endpoint", Range = "any text", Default = "the route's name")]
    public string? Endpoint { get; init; }

    /// <summary><c>none</c> charges no caller's limits.</summary>
    [Setting(Key = "Metadata:Limits", Range = "`none`", Default = "the plan's")]
    public string? Limits { get; init; }

    /// <summary>An answer, or a WebSocket, that is silent for so long is cut off.</summary>
    [Setting(
        Key = "Metadata:IdleTimeout",
        Min = "00:00:01",
        Max = "1.00:00:00",
        Default = "`00:01:40`; `01:00:00` for WebSockets, event streams and gRPC streams"
    )]
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>What is spoken through it.</summary>
    [Setting(Key = "Metadata:Protocol")]
    public RouteProtocol Protocol { get; init; }

    /// <summary>Lets browsers call a gRPC route by gRPC-Web.</summary>
    [Setting(Key = "Metadata:GrpcWeb")]
    public bool GrpcWeb { get; init; }

    /// <summary>Levels of fields that a query of a GraphQL route may have.</summary>
    [Setting(Key = "Metadata:MaxDepth", Min = 1, Max = 100)]
    public int MaxDepth { get; init; } = 15;

    /// <summary>Aliases that a request to a GraphQL route may have, fragments counted wherever they are spread.</summary>
    [Setting(Key = "Metadata:MaxAliases", Min = 0, Max = 10_000)]
    public int MaxAliases { get; init; } = 30;

    /// <summary>Whether the schema may be read through a GraphQL route.</summary>
    [Setting(Key = "Metadata:Introspection")]
    public bool Introspection { get; init; } = true;

    /// <summary>The operations that alone a GraphQL route takes: JSON, documents by id, or an Apollo manifest.</summary>
    [Setting(
        Key = "Metadata:PersistedQueries:Path",
        Range = "a readable list of operations, each within the route's limits",
        Default = "none: any operation"
    )]
    public string? PersistedQueries { get; init; }

    /// <summary>YARP's own, and <c>CallerPath</c>, a path that may name the caller: <c>/users/{sub}</c>.</summary>
    [Setting(Key = "Transforms:<n>", Also = "Transforms:<n>:<name>", Range = "as YARP documents them", Default = "none")]
    public IReadOnlyDictionary<string, string>? Transform { get; init; }
}

/// <summary><c>ReverseProxy:Routes:&lt;name&gt;:Match:Headers:&lt;n&gt;</c>.</summary>
[Settings("ReverseProxy:Routes:<name>:Match:Headers:<n>")]
internal sealed class HeaderSettings
{
    /// <summary>A header that the request must have.</summary>
    [Setting]
    public string Name { get; init; } = "";

    /// <summary>What it must be.</summary>
    [Setting(Default = "any")]
    public string[]? Values { get; init; }

    /// <summary>How values are compared.</summary>
    [Setting]
    public HeaderMatchMode Mode { get; init; }

    /// <summary>Whether case matters.</summary>
    [Setting]
    public bool IsCaseSensitive { get; init; }
}

/// <summary><c>ReverseProxy:Routes:&lt;name&gt;:Match:QueryParameters:&lt;n&gt;</c>.</summary>
[Settings("ReverseProxy:Routes:<name>:Match:QueryParameters:<n>")]
internal sealed class QueryParameterSettings
{
    /// <summary>A parameter that the request must have.</summary>
    [Setting]
    public string Name { get; init; } = "";

    /// <summary>What it must be.</summary>
    [Setting(Default = "any")]
    public string[]? Values { get; init; }

    /// <summary>How values are compared.</summary>
    [Setting]
    public QueryParameterMatchMode Mode { get; init; }

    /// <summary>Whether case matters.</summary>
    [Setting]
    public bool IsCaseSensitive { get; init; }
}
