using Bff.Callers;
using Bff.Edge;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Sessions;

/// <summary>How long an open stream (SSE, WebSocket) may go on: as long as the credential that opened it.</summary>
public static class StreamLife
{
    /// <summary>
    /// A token that is cancelled when the browser session ends, on whichever instance that happens, or the access token expires, or the client goes.
    /// What it holds is released with the response.
    /// </summary>
    public static CancellationToken Of(HttpContext context)
    {
        if (BrowserSession.Of(context) is { } session)
        {
            var watch = context.RequestServices.GetRequiredService<SessionStreams>().Watch(session, context.RequestAborted);
            context.Response.RegisterForDispose(watch);
            return watch.Ended;
        }

        if (BffRequest.Of(context).Caller is not { Kind: CallerKind.Token, ExpiresAt: { } expires })
        {
            return context.RequestAborted;
        }

        var time = context.RequestServices.GetRequiredService<TimeProvider>();
        var left = expires - time.GetUtcNow();
        var end = new CancellationTokenSource(left > TimeSpan.Zero ? left < TimeSpan.FromDays(30) ? left : TimeSpan.FromDays(30) : TimeSpan.Zero, time);
        context.Response.RegisterForDispose(end);
        var both = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, end.Token);
        context.Response.RegisterForDispose(both);
        return both.Token;
    }
}
