using System.Collections.Frozen;
using Bff.Configuration;
using Bff.Edge;
using Bff.Requests;
using Bff.Routes.GraphQl;
using Bff.Upstreams;
using Microsoft.Extensions.Configuration;
using Microsoft.Net.Http.Headers;
using Yarp.ReverseProxy.Transforms;

namespace Bff.Routes;

/// <summary>Copies the client's headers on an allow-list to the upstream, and adds the gateway's own.</summary>
internal sealed class RequestHeadersTransform(Reloadable<ForwardedRequestHeaders> allowed) : RequestTransform
{
    public override ValueTask ApplyAsync(RequestTransformContext context)
    {
        context.ProxyRequest.Options.Set(PassThroughHandler.Origin, BffRequest.Of(context.HttpContext));
        if (context.HttpContext.Features.Get<GraphQlRead>() is not null)
        {
            context.ProxyRequest.Options.Set(Repeatable.ReadsOnly, true);
        }

        var names = allowed.Current;
        var headers = context.HttpContext.Request.Headers;
        var connection = headers.Connection;
        foreach (var (name, values) in headers)
        {
            if (names.Contains(name) && !ConnectionOptions.Name(connection, name))
            {
                AddHeader(context, name, values);
            }
        }

        // Compression by the gateway makes a tag weak, and a weak tag never matches. Whether the gateway did it is unknown: both forms are
        // sent.
        if (IfMatch.StrongOf(headers.IfMatch) is { } strong && !ConnectionOptions.Name(connection, HeaderNames.IfMatch))
        {
            AddHeader(context, HeaderNames.IfMatch, strong);
        }

        return default;
    }
}

/// <summary>
/// The request headers that are forwarded to proxied upstreams: content, conditions, negotiation, streams, WebSocket handshake, and
/// <c>Headers:Forward</c>.
/// </summary>
[Settings("Headers")]
internal sealed class ForwardedRequestHeaders(FrozenSet<string> names)
{
    private static readonly string[] Always =
    [
        "Accept",
        "Accept-Charset",
        "Accept-Encoding",
        "Accept-Language",
        "Content-Type",
        "Content-Length",
        "Content-Encoding",
        "Content-Language",
        "Content-Disposition",
        "Content-MD5",
        "Content-Digest",
        "If-Match",
        "If-None-Match",
        "If-Modified-Since",
        "If-Unmodified-Since",
        "If-Range",
        "Range",
        "Cache-Control",
        "User-Agent",
        "Idempotency-Key",
        "Last-Event-ID", // Without it a service's event stream would begin again, not go on, when a client connects again.
        "Prefer",
        "Save-Data",
        "Sec-WebSocket-Key",
        "Sec-WebSocket-Version",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
    ];

    /// <summary>Additional request headers that routes and compositions forward to services.</summary>
    [Setting(
        Key = "Forward:<n>",
        Range = "the name of a header that carries no credential or identity and is not a connection header",
        Default = "none"
    )]
    public IReadOnlySet<string> Names => names;

    public bool Contains(string name) => names.Contains(name);

    public static ForwardedRequestHeaders Parse(IConfiguration configuration, ConfigurationMistakes mistakes) =>
        new(Always.Concat(ForwardedNames.Read(configuration, mistakes)).ToFrozenSet(StringComparer.OrdinalIgnoreCase));
}
