using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Bff.Bench.Load;

/// <summary>Reads HTTP/1.1 answers from one connection, by Content-Length or chunked.</summary>
internal sealed class AnswerReader(Socket socket)
{
    private byte[] _buffer = new byte[64 * 1024];
    private int _length;

    /// <summary>Reads one answer; returns its status and whether the body contains the text.</summary>
    /// <exception cref="IOException">The connection ended, or the bytes are not an answer.</exception>
    public int Read(string expected, out bool isExpected)
    {
        _length = 0;
        int head;
        while ((head = _buffer.AsSpan(0, _length).IndexOf("\r\n\r\n"u8)) < 0)
        {
            Receive();
        }

        var text = Encoding.ASCII.GetString(_buffer, 0, head);
        var body = head + 4;
        var end = Header(text, "Content-Length: ") is { } length ? body + int.Parse(length, CultureInfo.InvariantCulture) : -1;
        if (end < 0 && Header(text, "Transfer-Encoding: ") is null)
        {
            throw new IOException("an answer without a length");
        }

        while (end < 0 ? !_buffer.AsSpan(body, _length - body).EndsWith("0\r\n\r\n"u8) : _length < end)
        {
            Receive();
        }

        isExpected = _buffer.AsSpan(body, _length - body).IndexOf(Encoding.UTF8.GetBytes(expected)) >= 0;
        return int.Parse(text.AsSpan(9, 3), CultureInfo.InvariantCulture);
    }

    private void Receive()
    {
        if (_length == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        var read = socket.Receive(_buffer.AsSpan(_length));
        _length += read > 0 ? read : throw new IOException("the connection was closed");
    }

    private static string? Header(string head, string name)
    {
        var at = head.IndexOf("\r\n" + name, StringComparison.OrdinalIgnoreCase);
        if (at < 0)
        {
            return null;
        }

        var value = head.AsSpan(at + 2 + name.Length);
        var ends = value.IndexOf('\r');
        return (ends < 0 ? value : value[..ends]).ToString();
    }
}
