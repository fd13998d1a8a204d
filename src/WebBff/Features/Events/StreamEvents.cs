using Bff.Events;
using Bff.Sessions;

namespace WebBff.Features.Events;

internal static class StreamEvents
{
    /// <summary>The caller's events, until the session ends.</summary>
    public static ServerSentEvents Handle(HttpContext context) => new(StreamLife.Of(context));
}
