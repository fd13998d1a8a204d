using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Bff.TestKit;

/// <summary>An answer as received over the wire.</summary>
public sealed record RawResponse(int Status, IReadOnlyList<(string Name, string Value)> Headers, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);

    /// <summary>
    /// Returns the header's only value; null if it is absent. Repeated values are joined with " | ", which no assertion expects.
    /// </summary>
    public string? Header(string name)
    {
        var values = Headers.Where(h => h.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(h => h.Value).ToArray();
        return values.Length == 0 ? null : string.Join(" | ", values);
    }
}

/// <summary>Sends bytes that no well-behaved client would send, and reads HTTP/1.1 answers.</summary>
public static class RawHttp
{
    /// <summary>
    /// Writes bytes (Latin-1, one byte per character) and reads one answer; the status is 0 if the connection ends without one.
    /// </summary>
    /// <param name="host">The host's address.</param>
    /// <param name="request">The complete request.</param>
    /// <param name="sentinel">Checks the answer.</param>
    /// <param name="ends">Whether the client closes its side after the request, like one that breaks off.</param>
    public static async Task<RawResponse> Send(Uri host, string request, LeakSentinel sentinel, bool ends = false)
    {
        ArgumentNullException.ThrowIfNull(sentinel);
        foreach (var line in request.Split("\r\n\r\n")[0].Split("\r\n").Skip(1))
        {
            var colon = Math.Max(line.IndexOf(':', StringComparison.Ordinal), 0);
            sentinel.ForbidHeader(line[..colon], line[Math.Min(colon + 1, line.Length)..]);
        }

        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(host.Host, host.Port, timeout.Token);
        var stream = client.GetStream();
        try
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(request), timeout.Token);
            if (ends)
            {
                client.Client.Shutdown(SocketShutdown.Send);
            }
        }
        catch (Exception refused) when (refused is IOException or SocketException)
        {
            // A server that refuses need not read to the end; it has sent its answer by then.
        }

        var isHead = request.StartsWith("HEAD ", StringComparison.Ordinal);
        var response = await Read(stream, isHead, timeout.Token);
        if (response.Status >= 400)
        {
            var headers = string.Join('\n', response.Headers.Where(h => h.Name != "Set-Cookie").Select(h => $"{h.Name}: {h.Value}"));
            sentinel.CheckErrorBody(
                request.Split('\r')[0],
                headers + "\n\n" + LeakSentinelHandler.Decode(response.Body, response.Header("Content-Encoding"))
            );
        }

        return response;
    }

    internal static async Task<RawResponse> Read(Stream stream, bool isHead, CancellationToken cancellationToken)
    {
        var bytes = new List<byte>();
        var chunk = new byte[16 * 1024];
        while (true)
        {
            if (TryParse(bytes.ToArray(), isHead, ended: false) is { } response)
            {
                return response;
            }

            int read;
            try
            {
                read = await stream.ReadAsync(chunk, cancellationToken);
            }
            catch (IOException)
            {
                read = 0; // A reset counts as an end.
            }

            if (read == 0)
            {
                return TryParse(bytes.ToArray(), isHead, ended: true) ?? new RawResponse(0, [], [.. bytes]);
            }

            bytes.AddRange(chunk.AsSpan(0, read));
        }
    }

    private static RawResponse? TryParse(byte[] bytes, bool isHead, bool ended)
    {
        var end = bytes.AsSpan().IndexOf("\r\n\r\n"u8);
        if (end < 0)
        {
            return null;
        }

        var lines = Encoding.Latin1.GetString(bytes, 0, end).Split("\r\n");
        var status = int.Parse(lines[0].Split(' ')[1], CultureInfo.InvariantCulture);
        var rest = bytes.AsSpan(end + 4).ToArray();
        if (status is >= 100 and < 200)
        {
            return TryParse(rest, isHead, ended);
        }

        var headers = lines
            .Skip(1)
            .Select(l => (l[..l.IndexOf(':', StringComparison.Ordinal)], l[(l.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()))
            .ToList();
        var head = new RawResponse(status, headers, []);
        if (isHead || status is 204 or 304)
        {
            return head;
        }

        if (head.Header("Transfer-Encoding") == "chunked")
        {
            return Unchunk(rest) is { } body ? head with { Body = body }
                : ended ? new RawResponse(0, headers, rest)
                : null;
        }

        if (head.Header("Content-Length") is { } length)
        {
            var expected = int.Parse(length, CultureInfo.InvariantCulture);
            return rest.Length >= expected ? head with { Body = rest[..expected] }
                : ended ? new RawResponse(0, headers, rest)
                : null;
        }

        return ended ? head with { Body = rest } : null;
    }

    private static byte[]? Unchunk(ReadOnlySpan<byte> bytes)
    {
        var body = new List<byte>();
        while (true)
        {
            var line = bytes.IndexOf("\r\n"u8);
            if (line < 0)
            {
                return null;
            }

            var size = int.Parse(Encoding.Latin1.GetString(bytes[..line]), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            bytes = bytes[(line + 2)..];
            if (bytes.Length < size + 2)
            {
                return null;
            }

            if (size == 0)
            {
                return [.. body];
            }

            body.AddRange(bytes[..size]);
            bytes = bytes[(size + 2)..];
        }
    }
}
