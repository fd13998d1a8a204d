using Bff.Events;

namespace WebBff.Features.Events;

internal static class StreamEvents
{
    /// <summary>Streams the caller's events until the session or token ends.</summary>
    public static ServerSentEvents Handle() => new();
}
