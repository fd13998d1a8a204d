namespace Bff.Dev.Upstreams;

/// <summary>A request whose body has been read, so that it can be both recorded and answered.</summary>
internal sealed class Exchange(HttpContext context, byte[] body)
{
    public HttpContext Context { get; } = context;
    public ReadOnlyMemory<byte> Body { get; } = body;
    public HttpRequest Request => Context.Request;
    public HttpResponse Response => Context.Response;
    public Identity Caller => new(Request.Headers);

    /// <summary>The decoded path in segments: <c>/users/u-1001/orders</c> is <c>["users", "u-1001", "orders"]</c>.</summary>
    public string[] Segments { get; } = (context.Request.Path.Value ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries);

    public static async Task<Exchange> ReceiveAsync(HttpContext context)
    {
        var request = context.Request;
        if (request.ContentLength is 0 || (request.ContentLength is null && !HasBody(context)))
            return new Exchange(context, []);

        using var buffer = new MemoryStream((int)Math.Min(request.ContentLength ?? 1024, SampleService.MaxRequestBytes));
        await request.Body.CopyToAsync(buffer, context.RequestAborted);
        return new Exchange(context, buffer.ToArray());
    }

    private static bool HasBody(HttpContext context) =>
        context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestBodyDetectionFeature>()?.CanHaveBody ?? false;
}
