namespace WebBff.Tests.Streams;

/// <summary>Reads a stream as a browser's EventSource does.</summary>
internal sealed class EventStream(HttpResponseMessage response, StreamReader reader) : IDisposable
{
    public HttpResponseMessage Response => response;

    public string? LastId { get; private set; }

    public List<string> Comments { get; } = [];

    /// <summary>Opens a stream and reads until it says that nothing can be missed from then on.</summary>
    public static async Task<EventStream> Open(Browser browser, string? lastId = null, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(browser.Gateway, "/api/events"));
        request.Headers.TryAddWithoutValidation("Accept", "text/event-stream");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        if (lastId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastId);
        }

        var response = await browser.Send(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{response.StatusCode}");
        var stream = new EventStream(response, new StreamReader(await response.Content.ReadAsStreamAsync()));
        while (stream.LastId is null)
        {
            Assert.NotNull(await stream.Block());
        }

        return stream;
    }

    /// <summary>Returns the next event, or null at the end of the stream.</summary>
    public async Task<(string Id, string Type, string Data)?> Next()
    {
        while (await Block() is { } block)
        {
            if (block.Data is not null)
            {
                return (LastId!, block.Type, block.Data);
            }
        }

        return null;
    }

    public void Dispose()
    {
        reader.Dispose();
        response.Dispose();
    }

    private async Task<(string Type, string? Data)?> Block()
    {
        var (type, data) = ("message", (string?)null);
        try
        {
            while (await reader.ReadLineAsync() is { } line)
            {
                if (line.Length == 0)
                {
                    return (type, data);
                }

                var (name, value) = line.IndexOf(':') is var colon and >= 0
                    ? (line[..colon], line[(colon + 1)..].TrimStart(' '))
                    : (line, "");
                switch (name)
                {
                    case "id":
                        LastId = value;
                        break;
                    case "event":
                        type = value;
                        break;
                    case "data":
                        data = value;
                        break;
                    case "":
                        Comments.Add(value);
                        break;
                }
            }
        }
        catch (Exception cut) when (cut is IOException or HttpRequestException)
        {
            return null;
        }

        return null;
    }
}
