using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Bff.Requests;

/// <summary>
/// Endpoint metadata: what an endpoint requires of its caller. The host refuses to start with an endpoint that has neither this nor
/// anonymous access.
/// </summary>
/// <param name="Scope">The scope that the caller must have. Null: none in particular.</param>
/// <param name="Role">The role that the caller must have. Null: none in particular.</param>
/// <param name="Kind">How the caller must have authenticated. Null: in any way.</param>
public sealed record CallerRule(string? Scope, string? Role = null, CallerKind? Kind = null);

/// <summary>Endpoint metadata: the answer that an endpoint gives instead of 401.</summary>
/// <param name="Of">Makes the answer. If it returns null, the answer is 401.</param>
public sealed record AnonymousAnswer(Func<HttpContext, IResult?> Of);

/// <summary>
/// The endpoint's stable name (<c>home-feed</c>): the key of its configuration, limits and metrics. It is not the OpenAPI operation id.
/// </summary>
/// <param name="Name">The name in lower case, as in configuration.</param>
public sealed record EndpointName(string Name);

/// <summary>Adds the rules that guard endpoints and groups.</summary>
public static class CallerRuleExtensions
{
    /// <summary>Requires this OAuth scope. Other callers get 403 <c>insufficient_scope</c> (RFC 6750 section 3.1).</summary>
    public static TBuilder RequireScope<TBuilder>(this TBuilder builder, string scope)
        where TBuilder : IEndpointConventionBuilder => builder.With(new CallerRule(scope));

    /// <summary>Requires this role. Other callers get 403 <c>forbidden</c>.</summary>
    public static TBuilder RequireRole<TBuilder>(this TBuilder builder, string role)
        where TBuilder : IEndpointConventionBuilder => builder.With(new CallerRule(null, role));

    /// <summary>Requires an access token with this scope. An API key or a browser session is refused, whatever scopes it has.</summary>
    public static TBuilder RequireServiceToken<TBuilder>(this TBuilder builder, string scope)
        where TBuilder : IEndpointConventionBuilder => builder.With(new CallerRule(scope, Kind: CallerKind.Token));

    /// <summary>Gives the endpoint the name that <c>Composition:&lt;endpoint&gt;</c> and <c>Limits:Endpoints</c> use.</summary>
    public static TBuilder Named<TBuilder>(this TBuilder builder, string name)
        where TBuilder : IEndpointConventionBuilder => builder.With(new EndpointName(name));

    private static TBuilder With<TBuilder>(this TBuilder builder, object metadata)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint => endpoint.Metadata.Add(metadata));
        return builder;
    }
}
