using System.Collections.Frozen;
using Bff.Configuration;
using Bff.Edge;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Transforms;

namespace Bff.Routes;

/// <summary>What goes upstream of a client's headers: an allow-list, and the gateway's own.</summary>
internal sealed class RequestHeadersTransform(Reloadable<ForwardedRequestHeaders> allowed) : RequestTransform
{
    public override ValueTask ApplyAsync(RequestTransformContext context)
    {
        context.ProxyRequest.Options.Set(PassThroughHandler.Origin, BffRequest.Of(context.HttpContext));
        var names = allowed.Current;
        var headers = context.HttpContext.Request.Headers;
        var connection = headers.Connection;
        foreach (var (name, values) in headers)
        {
            if (names.Contains(name) && (connection.Count == 0 || !IsNamed(connection, name)))
            {
                AddHeader(context, name, values);
            }
        }

        return default;
    }

    /// <summary>What <c>Connection</c> names is meant for us alone (RFC 9110 section 7.6.1).</summary>
    private static bool IsNamed(StringValues connection, string name)
    {
        foreach (var line in connection)
        {
            foreach (var option in line.AsSpan().Split(','))
            {
                if (line.AsSpan()[option].Trim().Equals(name, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }
        }

        return false;
    }
}

/// <summary>The names that pass towards proxied upstreams: content, conditional, negotiation, WebSocket handshake, and <c>Headers:Forward</c>.</summary>
[Settings("Headers")]
internal sealed class ForwardedRequestHeaders(FrozenSet<string> names)
{
    private static readonly string[] Always =
    [
        "Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language",
        "Content-Type", "Content-Length", "Content-Encoding", "Content-Language", "Content-Disposition", "Content-MD5", "Content-Digest",
        "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range", "Cache-Control",
        "User-Agent", "Idempotency-Key", "Prefer", "Save-Data",
        "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions",
    ];

    private static readonly FrozenSet<string> Never = FrozenSet.ToFrozenSet(
        ["Authorization", "Cookie", "Host", "Connection", "Transfer-Encoding", "Proxy", "Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP"],
        StringComparer.OrdinalIgnoreCase);

    /// <summary>Further request headers that pass towards proxied services.</summary>
    [Setting(Key = "Forward:<n>", Range = "a header's name; none that carries a credential, the connection or an identity", Default = "none")]
    public IReadOnlySet<string> Names => names;

    public bool Contains(string name) => names.Contains(name);

    public static ForwardedRequestHeaders Parse(IConfiguration configuration, ConfigurationMistakes mistakes)
    {
        var further = configuration.GetSection("Headers:Forward").GetChildren().ToList();
        foreach (var name in further.Where(f => string.IsNullOrWhiteSpace(f.Value) || Never.Contains(f.Value) || Callers.IdentityHeaders.IsReserved(f.Value)))
        {
            mistakes.Add(name.Path, $"'{name.Value}' may not be forwarded.");
        }

        return new(Always.Concat(further.Select(f => f.Value ?? "")).ToFrozenSet(StringComparer.OrdinalIgnoreCase));
    }
}
