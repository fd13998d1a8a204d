using Microsoft.AspNetCore.Builder;

namespace Bff.Composition;

/// <summary>Metadata of an endpoint whose answers shared caches may keep.</summary>
/// <param name="Seconds">Lifetime in shared caches.</param>
internal sealed record PublicCaching(int Seconds);

/// <summary>Extensions for endpoints with composed answers.</summary>
public static class PublicCachingExtensions
{
    /// <summary>
    /// Lets shared caches keep a complete answer (<c>Cache-Control: public, max-age</c>), and clients revalidate it (ETag, 304). For
    /// anonymous endpoints whose parts are public (<c>CacheScope.Public</c>). On any other endpoint it stops the host; an answer with a
    /// part that is not public becomes private.
    /// </summary>
    public static RouteHandlerBuilder PubliclyCacheable(this RouteHandlerBuilder endpoint, int maxAgeSeconds) =>
        endpoint.WithMetadata(new PublicCaching(maxAgeSeconds));
}
