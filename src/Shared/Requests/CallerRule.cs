using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Bff.Requests;

/// <summary>
/// What an endpoint asks of its caller; endpoint metadata. An endpoint without it (and not anonymous) is refused at start.
/// </summary>
/// <param name="Scope">The scope that the caller must have; null: none in particular.</param>
/// <param name="Role">The role that the caller must have; null: none in particular.</param>
/// <param name="Kind">How the caller must have proved itself; null: any way.</param>
public sealed record CallerRule(string? Scope, string? Role = null, CallerKind? Kind = null);

/// <summary>What an endpoint answers instead of 401; endpoint metadata.</summary>
/// <param name="Of">The answer; null: the 401 stays.</param>
public sealed record AnonymousAnswer(Func<HttpContext, IResult?> Of);

/// <summary>
/// The endpoint's stable name (<c>home-feed</c>): key of its configuration, limits and metrics. Not the OpenAPI operation id.
/// </summary>
/// <param name="Name">Lower case, as in configuration.</param>
public sealed record EndpointName(string Name);

/// <summary>Guards on endpoints and groups.</summary>
public static class CallerRuleExtensions
{
    /// <summary>Callers need this OAuth scope; others get 403 <c>insufficient_scope</c> (RFC 6750 section 3.1).</summary>
    public static TBuilder RequireScope<TBuilder>(this TBuilder builder, string scope)
        where TBuilder : IEndpointConventionBuilder => builder.With(new CallerRule(scope));

    /// <summary>Callers need this role; others get 403 <c>forbidden</c>.</summary>
    public static TBuilder RequireRole<TBuilder>(this TBuilder builder, string role)
        where TBuilder : IEndpointConventionBuilder => builder.With(new CallerRule(null, role));

    /// <summary>
    /// Callers need an access token with this scope: neither an API key nor a browser session will do, whatever scopes it has.
    /// </summary>
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
