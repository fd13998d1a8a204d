namespace Bff.EndToEnd.Tests.EventStreams;

/// <summary>
/// Reads one connection as a browser does (WHATWG HTML, section 9.2.6): an event without its blank line when the connection ends is
/// discarded.
/// </summary>
internal sealed class EventSource(HttpResponseMessage answer, Stream body, string? lastEventId) : IDisposable
{
    private readonly StreamReader _reader = new(body);

    /// <summary>The id to send when reconnecting.</summary>
    public string? LastEventId { get; private set; } = lastEventId;

    public int Comments { get; private set; }

    /// <summary>Returns the next event, or null when the connection has ended in any way.</summary>
    public async Task<(string Type, string Data)?> Next()
    {
        var (id, type, data) = (LastEventId, "message", "");
        try
        {
            while (await _reader.ReadLineAsync() is { } line)
            {
                if (line.Length > 0)
                {
                    var colon = line.IndexOf(':', StringComparison.Ordinal);
                    var (name, value) = colon < 0 ? (line, "") : (line[..colon], line[(colon + 1)..].TrimStart(' '));
                    Comments += colon == 0 ? 1 : 0;
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
        catch (Exception cut) when (cut is IOException or HttpRequestException)
        {
            // The instance has died.
        }

        return null;
    }

    public void Dispose()
    {
        _reader.Dispose();
        answer.Dispose();
    }
}
