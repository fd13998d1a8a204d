using System.Buffers;
using System.Globalization;
using System.Text;
using Bff.Callers.Life;
using Bff.Life;
using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Events;

/// <summary>
/// An endpoint's result that streams the caller's events as server-sent events (WHATWG HTML, section 9.2), until the client disconnects,
/// the caller's credential ends, the token is cancelled or the host drains. <c>id</c> is the place in the log, <c>event</c> the type,
/// <c>data</c> the event's data. Resumes after <c>Last-Event-ID</c>. If events may have been lost, one event of type <c>reset</c> is sent.
/// A comment every 15 s keeps the connection open. Answers 503 if the log cannot be read.
/// </summary>
/// <param name="until">Ends the stream too. The client then reconnects and learns the reason.</param>
public sealed class ServerSentEvents(CancellationToken until = default) : IResult
{
    /// <summary>Longest time that a stream may be silent.</summary>
    public static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Number of heartbeats after which an idle reader is told the current place in the log, well before its last place is too old to
    /// resume from.
    /// </summary>
    private const int PlaceEvery = 8;

    /// <inheritdoc />
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        if (HttpMethods.IsHead(httpContext.Request.Method))
        {
            Begin(httpContext); // The client expects no body, and writing one would block the connection's next request.
            return;
        }

        var services = httpContext.RequestServices;
        var draining = services.GetRequiredService<HostLife>().Draining;
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(
            httpContext.RequestAborted,
            CallerLife.EndOf(httpContext),
            until,
            draining
        );
        var response = httpContext.Response;
        try
        {
            await Write(httpContext, services.GetRequiredService<UserEvents>(), ends.Token);
        }
        catch (OperationCanceledException) when (ends.IsCancellationRequested)
        {
            if (draining.IsCancellationRequested && response.HasStarted && !httpContext.RequestAborted.IsCancellationRequested)
            {
                // A random delay, so that clients do not all reconnect to the other instances at once.
                Append(
                    response.BodyWriter,
                    string.Create(CultureInfo.InvariantCulture, $"retry: {Random.Shared.Next(500, 3000)}\n: going away\n\n")
                );
                await response.BodyWriter.FlushAsync(httpContext.RequestAborted);
            }
        }
    }

    private static async Task Write(HttpContext context, UserEvents events, CancellationToken ends)
    {
        var silences = 0;
        await foreach (var item in events.Follow(BffRequest.Of(context).Caller, After(context.Request), Heartbeat, ends))
        {
            if (item.Kind == UserEventKind.Opened)
            {
                Begin(context);
            }

            var writer = context.Response.BodyWriter; // The server's own writer, now that the head says that nothing is compressed.
            switch (item.Kind)
            {
                case UserEventKind.Opened:
                    Append(writer, $": ok\nid: {item.Id}\n\n"); // An id without data is no event, but the browser resumes from it.
                    break;
                case UserEventKind.Event:
                    Append(writer, $"id: {item.Id}\nevent: {item.Event!.Head.Type}\ndata: ");
                    writer.Write(item.Event.Data.Span);
                    Append(writer, "\n\n");
                    break;
                case UserEventKind.Reset:
                    Append(writer, $"id: {item.Id}\nevent: reset\ndata: {{}}\n\n");
                    break;
                default:
                    Append(writer, ++silences % PlaceEvery == 0 ? $":\nid: {item.Id}\n\n" : ":\n\n");
                    break;
            }

            if ((await writer.FlushAsync(ends)).IsCompleted)
            {
                return;
            }
        }
    }

    /// <summary>Returns the place to resume after. A malformed id becomes the default, which cannot be resumed.</summary>
    private static EventId? After(HttpRequest request) =>
        request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } text
            ? (EventId.TryParse(text, out var id) ? id : default(EventId))
            : null;

    private static void Begin(HttpContext context)
    {
        var headers = context.Response.Headers;
        context.Response.ContentType = "text/event-stream";
        headers.CacheControl = "no-store, no-transform";
        headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
    }

    private static void Append(IBufferWriter<byte> writer, string text) => Encoding.UTF8.GetBytes(text, writer);
}
