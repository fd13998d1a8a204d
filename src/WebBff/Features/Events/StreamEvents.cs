using Bff.Events;

namespace WebBff.Features.Events;

internal static class StreamEvents
{
    /// <summary>The caller's events, until the session or token ends.</summary>
    public static ServerSentEvents Handle() => new();
}
