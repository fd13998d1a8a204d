namespace Bff.TestKit;

/// <summary>One message with wrong framing.</summary>
/// <param name="Name">What is wrong.</param>
/// <param name="Head">Header lines about the body, each with its line end.</param>
/// <param name="Body">What follows the empty line.</param>
/// <param name="Ends">Whether the client breaks off after the body; otherwise it waits for its answer.</param>
public sealed record Framing(string Name, string Head, string Body, bool Ends = false);

/// <summary>
/// Bodies whose end no reader can determine (RFC 9112 sections 6 and 7): the client gets 400, whatever the endpoint.
/// </summary>
public static class Framings
{
    private const string Chunked = "Transfer-Encoding: chunked\r\n";

    /// <summary>Returns the table, around a body that would be valid.</summary>
    /// <param name="good">A body that the endpoint accepts.</param>
    public static IReadOnlyList<Framing> Malformed(string good)
    {
        ArgumentNullException.ThrowIfNull(good);
        var size = good.Length.ToString("x", System.Globalization.CultureInfo.InvariantCulture);
        var first = $"{size}\r\n{good}\r\n";
        var table = new List<Framing>();

        // Invalid sizes.
        foreach (var wrong in (string[])["zz", "-1", "+1", "0x5", "", " ", " 5", "5 5", "1.5", "5h", "\u00ff", "\0", "5\n", "5\r5"])
        {
            table.Add(new($"size '{Printable(wrong)}'", Chunked, $"{wrong}\r\n{good}\r\n0\r\n\r\n"));
        }

        // Sizes that are too large for code with 31, 32, 63 or 64 bits.
        foreach (
            var large in (string[])
                [
                    "80000000",
                    "7fffffff0",
                    "ffffffff",
                    "100000000",
                    "fffffffffffffff6",
                    "7fffffffffffffff",
                    "8000000000000000",
                    "10000000000000000",
                    new string('f', 40),
                    "0000000080000000",
                ]
        )
        {
            table.Add(new($"size {large}", Chunked, $"{large}\r\n{good}\r\n0\r\n\r\n"));
            table.Add(new($"size {large} after a good chunk", Chunked, $"{first}{large}\r\n{good}\r\n0\r\n\r\n"));
        }

        // Missing or wrong line ends.
        table.Add(new("no line end after the data", Chunked, $"{size}\r\n{good}0\r\n\r\n"));
        table.Add(new("data longer than said", Chunked, $"1\r\n{good}\r\n0\r\n\r\n"));
        table.Add(new("line feed alone after the data", Chunked, $"{size}\r\n{good}\n0\r\n\r\n"));
        table.Add(new("line feed alone after the size", Chunked, $"{size}\n{good}\r\n0\r\n\r\n"));
        table.Add(new("carriage return alone after the size", Chunked, $"{size}\r{good}\r\n0\r\n\r\n"));

        // Extensions in which one reader sees the end of a line and another does not.
        table.Add(new("line feed in an extension", Chunked, $"{size};a\n{good}\r\n0\r\n\r\n"));
        table.Add(new("line feed in a quoted extension", Chunked, $"{size};a=\"\n\"\r\n{good}\r\n0\r\n\r\n"));

        // Bodies that break off.
        table.Add(new("nothing after the head", Chunked, "", Ends: true));
        table.Add(new("breaks off in a size", Chunked, size[..1], Ends: true));
        table.Add(new("breaks off in the data", Chunked, $"{size}\r\n{good[..^1]}", Ends: true));
        table.Add(new("breaks off after the data", Chunked, $"{size}\r\n{good}", Ends: true));
        table.Add(new("breaks off between chunks", Chunked, first, Ends: true));
        table.Add(new("breaks off in the last chunk", Chunked, $"{first}0\r\n", Ends: true));
        table.Add(new("breaks off in the trailers", Chunked, $"{first}0\r\nX-A: b\r\n", Ends: true));
        table.Add(new("shorter than its length", $"Content-Length: {good.Length + 1}\r\n", good, Ends: true));
        table.Add(new("nothing of its length", $"Content-Length: {good.Length}\r\n", "", Ends: true));

        // Invalid trailers.
        table.Add(new("trailer without colon", Chunked, $"{first}0\r\nnonsense\r\n\r\n"));
        table.Add(new("trailer with a space before the colon", Chunked, $"{first}0\r\nX-A : b\r\n\r\n"));

        // More than one length, or no known one.
        table.Add(new("length and chunks", $"Content-Length: {good.Length}\r\n{Chunked}", $"{first}0\r\n\r\n"));
        table.Add(new("chunks and length", $"{Chunked}Content-Length: {good.Length}\r\n", $"{first}0\r\n\r\n"));
        table.Add(new("chunked twice", "Transfer-Encoding: chunked, chunked\r\n", $"{first}0\r\n\r\n"));
        table.Add(new("chunked in two lines", Chunked + Chunked, $"{first}0\r\n\r\n"));
        table.Add(new("coding after chunked", "Transfer-Encoding: chunked, identity\r\n", $"{first}0\r\n\r\n"));
        table.Add(new("unknown coding", "Transfer-Encoding: xchunked\r\n", $"{first}0\r\n\r\n"));
        table.Add(new("two lengths", $"Content-Length: {good.Length}\r\nContent-Length: {good.Length + 1}\r\n", good + "x"));
        foreach (var wrong in (string[])["-1", "5,5", "0x5", "5 5", "99999999999999999999", "five"])
        {
            table.Add(new($"length '{wrong}'", $"Content-Length: {wrong}\r\n", good));
        }

        return table;
    }

    /// <summary>Sends each to an endpoint; returns those that are not answered with 400, and errors in the log.</summary>
    /// <param name="address">The host.</param>
    /// <param name="start">The request line and the other header lines, each with its line end.</param>
    /// <param name="good">A body that the endpoint accepts.</param>
    /// <param name="sentinel">Checks the answers.</param>
    /// <param name="breaksOff">Whether to send those whose client breaks off: the framework's own binding may notice that first, and then
    /// answers nobody.</param>
    public static async Task<IReadOnlyList<string>> Unanswered(
        Uri address,
        string start,
        string good,
        LeakSentinel sentinel,
        bool breaksOff = true
    )
    {
        ArgumentNullException.ThrowIfNull(address);
        var wrong = new List<string>();
        foreach (var framing in Malformed(good).Where(f => breaksOff || !f.Ends))
        {
            var answer = await RawHttp.Send(address, $"{start}{framing.Head}\r\n{framing.Body}", sentinel, framing.Ends);
            if (answer.Status != 400 && !(framing.Ends && answer.Status == 0)) // The server may drop a client that has closed its side.
            {
                wrong.Add($"{start.Split('\r')[0]}, {framing.Name}: {answer.Status} {answer.Text}");
            }
        }

        return wrong;
    }

    private static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) ? $"\\{(int)c}" : c.ToString()));
}
