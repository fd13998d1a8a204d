using Microsoft.AspNetCore.Builder;

namespace Bff.Composition;

/// <summary>Says of an endpoint that shared caches may keep its answers.</summary>
/// <param name="Seconds">For how long.</param>
internal sealed record PublicCaching(int Seconds);

/// <summary>What an endpoint says of its composed answers.</summary>
public static class PublicCachingExtensions
{
    /// <summary>
    /// Lets every cache on the way keep a whole answer (<c>Cache-Control: public, max-age</c>), and clients ask whether it still holds
    /// (ETag, 304). For anonymous endpoints whose parts are public (<c>CacheScope.Public</c>): another endpoint stops the host, and an
    /// answer with any other part is the client's own.
    /// </summary>
    public static RouteHandlerBuilder PubliclyCacheable(this RouteHandlerBuilder endpoint, int maxAgeSeconds) =>
        endpoint.WithMetadata(new PublicCaching(maxAgeSeconds));
}
