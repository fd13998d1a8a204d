using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Bff.Edge;

/// <summary>
/// Sets the headers that every response has at the moment it starts, so that no endpoint or proxied service can omit, repeat or weaken one.
/// All values are shared, so nothing is allocated per request.
/// </summary>
internal static class ResponseHeaders
{
    public const int CompressFromBytes = 1024;

    /// <summary>Digests of a body (RFC 9530, RFC 3230, RFC 1864), which are computed over the encoded bytes.</summary>
    public static readonly string[] Digests = ["Content-MD5", "Content-Digest", "Repr-Digest", "Digest"];

    private static readonly StringValues NoSniff = "nosniff";
    private static readonly StringValues Deny = "DENY";
    private static readonly StringValues NoReferrer = "no-referrer";
    private static readonly StringValues SameOrigin = "same-origin";
    private static readonly StringValues CrossOrigin = "cross-origin";
    private static readonly StringValues Hsts = "max-age=31536000; includeSubDomains";
    private static readonly StringValues Nothing =
        "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()";
    private static readonly StringValues ApiPolicy = "default-src 'none'; frame-ancestors 'none'";
    private static readonly StringValues NoStore = "no-store";
    private static readonly StringValues AcceptEncoding = "Accept-Encoding";
    private static readonly StringValues Origin = "Origin";

    /// <summary>
    /// The callback for <see cref="HttpResponse.OnStarting(Func{object, Task}, object)"/>. Its state is the <see cref="BffRequest"/>.
    /// </summary>
    public static readonly Func<object, Task> OnStarting = static state =>
    {
        Apply((BffRequest)state);
        return Task.CompletedTask;
    };

    private static void Apply(BffRequest request)
    {
        var context = request.HttpContext!;
        var response = context.Response;
        var headers = response.Headers;
        headers["X-Request-Id"] = request.RequestId;
        headers["X-Correlation-Id"] = request.CorrelationId;
        headers.XContentTypeOptions = NoSniff;
        headers.XFrameOptions = Deny;
        headers["Referrer-Policy"] = NoReferrer;
        headers["Cross-Origin-Resource-Policy"] = context.GetEndpoint()?.Metadata.GetMetadata<PublicMedia>() is null
            ? SameOrigin
            : CrossOrigin;
        headers["Permissions-Policy"] = Nothing;
        headers.ContentSecurityPolicy = request.PagePolicy is { } policy ? policy : ApiPolicy;
        headers.Server = default;
        if (context.Request.IsHttps)
        {
            headers.StrictTransportSecurity = Hsts;
        }

        if (headers.CacheControl.Count == 0)
        {
            headers.CacheControl = NoStore;
        }

        if (response.ContentLength is null or >= CompressFromBytes && MediaTypes.IsJson(response.ContentType))
        {
            VaryBy(headers, AcceptEncoding);
        }

        // A cached response to one origin, or to none, must not be reused for another (Fetch standard, section 3.3.5).
        if (request.VariesByOrigin)
        {
            VaryBy(headers, Origin);
        }
    }

    private static void VaryBy(IHeaderDictionary headers, StringValues name)
    {
        var vary = headers.Vary;
        if (vary.Count == 0)
        {
            headers.Vary = name;
            return;
        }

        foreach (var value in vary)
        {
            foreach (var item in value.AsSpan().Split(','))
            {
                var header = value.AsSpan()[item].Trim();
                if (header is "*" || header.Equals(name.ToString(), StringComparison.OrdinalIgnoreCase))
                {
                    return;
                }
            }
        }

        headers.Vary = StringValues.Concat(vary, name);
    }
}
