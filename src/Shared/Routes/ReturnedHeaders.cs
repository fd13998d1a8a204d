using System.Collections.Frozen;
using Bff.Callers.Identity;
using Bff.Configuration;
using Bff.Edge;
using Bff.Upstreams;
using Microsoft.Extensions.Configuration;

namespace Bff.Routes;

/// <summary>
/// The headers of a proxied service's answer that reach the client: content, caching, ranges, conditions, links, the WebSocket handshake,
/// and <c>Headers:Return</c>. All others stay between the gateway and the service.
/// </summary>
[Settings("Headers")]
internal sealed class ReturnedHeaders(FrozenSet<string> names, FrozenSet<string> trailers)
{
    private static readonly string[] Always =
    [
        "Content-Type",
        "Content-Length",
        "Content-Encoding",
        "Content-Language",
        "Content-Location",
        "Content-Disposition",
        "Content-Range",
        .. ResponseHeaders.Digests,
        "Cache-Control",
        "Expires",
        "Pragma",
        "Age",
        "Date",
        "Vary",
        "ETag",
        "Last-Modified",
        "Accept-Ranges",
        "Retry-After",
        "Location",
        "Link",
        "Allow",
        "Accept-Patch",
        "Accept-Post",
        "Preference-Applied",
        "Sec-WebSocket-Accept",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
    ];

    private static readonly FrozenSet<string> Never = FrozenSet.Create(
        StringComparer.OrdinalIgnoreCase,
        [
            "Set-Cookie",
            "Server",
            "X-Powered-By",
            "Via",
            "Alt-Svc",
            "Strict-Transport-Security",
            "Content-Security-Policy",
            "X-Frame-Options",
            "X-Content-Type-Options",
            "Referrer-Policy",
            "Permissions-Policy",
            "Cross-Origin-Resource-Policy",
            "WWW-Authenticate",
            "Clear-Site-Data",
            "Access-Control-Allow-Origin",
            "Access-Control-Allow-Credentials",
            "Access-Control-Allow-Headers",
            "Access-Control-Allow-Methods",
            "Access-Control-Expose-Headers",
            "Access-Control-Max-Age",
            "Server-Timing",
            "X-Request-Id",
            "X-Correlation-Id",
            "RateLimit",
            "RateLimit-Policy",
            "X-RateLimit-Limit",
            "X-RateLimit-Remaining",
            "X-RateLimit-Reset",
            "NEL",
            "Report-To",
            "Reporting-Endpoints",
            "Refresh",
            "Public-Key-Pins",
            "Public-Key-Pins-Report-Only",
            "Connection",
            "Keep-Alive",
            "Proxy-Connection",
            "Proxy-Authenticate",
            "Proxy-Authorization",
            "Transfer-Encoding",
            "TE",
            "Trailer",
            "Upgrade",
        ]
    );

    /// <summary>Additional response headers of proxied services that are returned to clients.</summary>
    [Setting(
        Key = "Return:<n>",
        Range = "the name of a header that carries no identity, is not a connection header and is not set by the gateway itself",
        Default = "none"
    )]
    public IReadOnlySet<string> Names => names;

    public bool Contains(string name) => names.Contains(name);

    /// <summary>Whether a trailer passes on a gRPC route, besides gRPC's own.</summary>
    public bool IsTrailer(string name) => trailers.Contains(name);

    public static ReturnedHeaders Parse(IConfiguration configuration, ConfigurationMistakes mistakes)
    {
        var further = configuration.GetSection("Headers:Return").GetChildren().ToList();
        foreach (
            var name in further.Where(f =>
                !ForwardedNames.IsName(f.Value) || Never.Contains(f.Value) || IdentityHeaders.IsReserved(f.Value)
            )
        )
        {
            mistakes.Add(
                name.Path,
                $"'{name.Value}' may not be returned. Name a header that carries no identity, is not a "
                    + "connection header and is not set by the gateway itself."
            );
        }

        var named = further.Select(f => f.Value ?? "").ToList();
        return new(
            Always.Concat(named).ToFrozenSet(StringComparer.OrdinalIgnoreCase),
            named.Append("Retry-After").ToFrozenSet(StringComparer.OrdinalIgnoreCase)
        );
    }
}
