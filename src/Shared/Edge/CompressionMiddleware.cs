using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Edge;

/// <summary>
/// Compresses JSON of 1 KiB and more, including problems, for clients that accept it. The framework's own middleware supports neither a
/// minimum size nor weak ETags. A client that accepts no coding costs one header lookup.
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
