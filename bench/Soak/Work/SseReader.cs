namespace Bff.Bench.Soak.Work;

/// <summary>
/// Reads one connection of server-sent events as a browser does: an event without its blank line when the connection ends is discarded.
/// </summary>
internal sealed class SseReader(HttpResponseMessage answer, Stream body, string? lastEventId) : IDisposable
{
    private readonly StreamReader _reader = new(body);

    /// <summary>The id to send when reconnecting.</summary>
    public string? LastEventId { get; private set; } = lastEventId;

    /// <summary>Opens a stream; without a reader, the status says why.</summary>
    public static async Task<(SseReader? Reader, int Status)> Open(
        HttpClient http,
        Uri instance,
        (string Name, string Value) credential,
        string? lastEventId
    )
    {
        using var request = Sender.Request(HttpMethod.Get, "/api/events", headers: [("Accept", "text/event-stream"), credential]);
        request.RequestUri = new Uri(instance, "/api/events");
        if (lastEventId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        }

        try
        {
            using var timeLimit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeLimit.Token);
            if ((int)answer.StatusCode == 200)
            {
                return (new(answer, await answer.Content.ReadAsStreamAsync(CancellationToken.None), lastEventId), 200);
            }

            answer.Dispose();
            return (null, (int)answer.StatusCode);
        }
        catch (Exception broken) when (broken is HttpRequestException or OperationCanceledException or IOException)
        {
            return (null, 0);
        }
    }

    /// <summary>Returns the next event, or null when the connection has ended in any way.</summary>
    public async Task<(string Type, string Data)?> Next(CancellationToken cancellation = default)
    {
        var (id, type, data) = (LastEventId, "message", "");
        try
        {
            while (await _reader.ReadLineAsync(cancellation) is { } line)
            {
                if (line.Length > 0)
                {
                    var colon = line.IndexOf(':', StringComparison.Ordinal);
                    var (name, value) = colon < 0 ? (line, "") : (line[..colon], line[(colon + 1)..].TrimStart(' '));
                    (id, type, data) = (name == "id" ? value : id, name == "event" ? value : type, name == "data" ? value : data);
                    continue;
                }

                LastEventId = id;
                if (data.Length > 0)
                {
                    return (type, data);
                }

                (type, data) = ("message", "");
            }
        }
        catch (Exception cut) when (cut is IOException or HttpRequestException or OperationCanceledException or ObjectDisposedException)
        {
            // The instance has died, or the reader was told to stop.
        }

        return null;
    }

    public void Dispose()
    {
        _reader.Dispose();
        answer.Dispose();
    }
}
