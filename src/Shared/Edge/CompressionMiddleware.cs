using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Edge;

/// <summary>
/// Compresses JSON of 1 KiB and more, problems included, for clients that accept it. The framework's own middleware knows neither a
/// smallest size nor weak ETags. A client that accepts nothing costs one header look-up.
/// </summary>
internal sealed class CompressionMiddleware(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context)
    {
        var accepted = context.Request.Headers.AcceptEncoding;
        return accepted.Count > 0 && AcceptedEncoding.Choose(accepted) is var coding and not ContentCoding.Identity
            ? Compress(context, coding)
            : next(context);
    }

    private async Task Compress(HttpContext context, ContentCoding coding)
    {
        var inner = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        var body = new CompressedBody(context.Response, inner, coding);
        context.Features.Set<IHttpResponseBodyFeature>(body);
        try
        {
            await next(context);
            await body.Finish();
        }
        finally
        {
            context.Features.Set(inner);
        }
    }
}
