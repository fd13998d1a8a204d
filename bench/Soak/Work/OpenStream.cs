using System.Net.WebSockets;
using Bff.Bench.Soak.Hosts;

namespace Bff.Bench.Soak.Work;

/// <summary>A streamed answer, and the time when one side ended it.</summary>
internal sealed class OpenStream
{
    private OpenStream(string kind, Instance instance) => (Kind, Instance) = (kind, instance);

    public string Kind { get; }

    public Instance Instance { get; }

    /// <summary>Time of the end; infinite while the stream is open.</summary>
    public double EndedAt { get; private set; } = double.PositiveInfinity;

    /// <summary>Opens server-sent events; returns null when that fails.</summary>
    public static async Task<OpenStream?> Events(
        World world,
        Instance instance,
        (string Name, string Value) credential,
        CancellationToken enough
    )
    {
        var (reader, _) = await SseReader.Open(world.Streams, instance.Address, credential, null);
        if (reader is null)
        {
            return null;
        }

        var open = new OpenStream("event stream", instance);
        _ = open.Follow(
            world,
            async () =>
            {
                using (reader)
                {
                    while (await reader.Next(enough) is not null)
                    {
                        // The content does not matter here.
                    }
                }
            },
            enough
        );
        return open;
    }

    /// <summary>Opens a WebSocket; returns null when that fails.</summary>
    public static async Task<OpenStream?> Socket(
        World world,
        Instance instance,
        (string Name, string Value) credential,
        CancellationToken enough
    )
    {
        var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader(credential.Name, credential.Value);
        socket.Options.SetRequestHeader("Origin", instance.Address.GetLeftPart(UriPartial.Authority));
        try
        {
            using var timeLimit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            await socket.ConnectAsync(
                new UriBuilder(instance.Address) { Scheme = "ws", Path = "/api/ws/notifications" }.Uri,
                timeLimit.Token
            );
        }
        catch (Exception refused) when (refused is WebSocketException or OperationCanceledException)
        {
            socket.Dispose();
            return null;
        }

        var open = new OpenStream("WebSocket", instance);
        _ = open.Follow(
            world,
            async () =>
            {
                using (socket)
                {
                    var buffer = new byte[8192];
                    while ((await socket.ReceiveAsync(buffer.AsMemory(), enough)).MessageType != WebSocketMessageType.Close)
                    {
                        // A notification.
                    }
                }
            },
            enough
        );
        return open;
    }

    private async Task Follow(World world, Func<Task> read, CancellationToken enough)
    {
        try
        {
            await read();
        }
        catch (Exception ended) when (ended is WebSocketException or OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The other side did not close the socket in an orderly way.
        }

        if (!enough.IsCancellationRequested)
        {
            EndedAt = world.Time.Now;
        }
    }
}
