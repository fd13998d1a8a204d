using System.Net;

namespace Bff.TestKit;

/// <summary>Shows every error that a client receives to the sentinel.</summary>
public sealed class LeakSentinelHandler(LeakSentinel sentinel, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken);
        if (response.StatusCode >= HttpStatusCode.BadRequest && response.Content.Headers.ContentEncoding.Count == 0)
        {
            await response.Content.LoadIntoBufferAsync(cancellationToken);
            sentinel.CheckErrorBody($"{request.Method} {request.RequestUri?.AbsolutePath}", await response.Content.ReadAsStringAsync(cancellationToken));
        }

        return response;
    }
}
