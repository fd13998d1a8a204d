using Bff.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Callers.Identity;

/// <summary>
/// <c>GET /.well-known/gateway-jwks.json</c>: the keys with which services verify <c>X-Identity-Token</c>. The route exists only when
/// assertions are enabled.
/// </summary>
internal static class GetGatewayKeys
{
    public static void MapGatewayKeys(this IEndpointRouteBuilder endpoints)
    {
        if (endpoints.ServiceProvider.GetService<IdentityAssertions>() is { } assertions)
        {
            endpoints
                .MapGet(
                    "/.well-known/gateway-jwks.json",
                    (HttpContext context) =>
                    {
                        context.Response.Headers.CacheControl = "public, max-age=300";
                        return TypedResults.Bytes(assertions.PublicKeys(), "application/jwk-set+json");
                    }
                )
                .AllowAnonymous()
                .WithoutLimits()
                .ExcludeFromDescription();
        }
    }
}
