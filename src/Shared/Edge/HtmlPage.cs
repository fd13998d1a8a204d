using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Edge;

/// <summary>A server-rendered page (UTF-8) with its own content security policy.</summary>
/// <param name="utf8">The document. Every value in it is already encoded.</param>
public sealed class HtmlPage(ReadOnlyMemory<byte> utf8) : IResult, IStatusCodeHttpResult
{
    /// <summary>The default policy of pages: styles, scripts, pictures and data of this host, and no inline script or style.</summary>
    public const string DefaultPolicy =
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>The value of <c>Content-Security-Policy</c>.</summary>
    public string Policy { get; init; } = DefaultPolicy;

    /// <summary>The value of <c>Cache-Control</c>; null for <c>no-store</c>.</summary>
    public string? CacheControl { get; init; }

    /// <inheritdoc />
    public int? StatusCode { get; init; } = StatusCodes.Status200OK;

    /// <inheritdoc />
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = StatusCode!.Value;
        response.ContentType = "text/html; charset=utf-8";
        response.ContentLength = utf8.Length;
        BffRequest.Of(httpContext).PagePolicy = Policy;
        if (CacheControl is { } cacheControl)
        {
            response.Headers.CacheControl = cacheControl;
        }

        await response.BodyWriter.WriteAsync(utf8, httpContext.RequestAborted);
    }
}
