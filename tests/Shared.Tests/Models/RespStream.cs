using System.Globalization;
using System.Text;

namespace Bff.Shared.Tests.Models;

/// <summary>Reads and writes frames of the Redis protocol (RESP 2).</summary>
internal sealed class RespStream(Stream stream)
{
    private byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;

    public static byte[] Command(params IEnumerable<byte[]> words)
    {
        var all = words.ToList();
        using var frame = new MemoryStream();
        frame.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"*{all.Count}\r\n")));
        foreach (var word in all)
        {
            frame.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"${word.Length}\r\n")));
            frame.Write(word);
            frame.Write("\r\n"u8);
        }

        return frame.ToArray();
    }

    /// <summary>Returns the bulk strings of a flat array.</summary>
    public static List<byte[]> Words(byte[] frame)
    {
        var words = new List<byte[]>();
        var at = Array.IndexOf(frame, (byte)'\n') + 1;
        while (at < frame.Length)
        {
            var end = Array.IndexOf(frame, (byte)'\n', at) + 1;
            var length = Length(frame.AsSpan(at, end - at));
            words.Add(frame.AsSpan(end, length).ToArray());
            at = end + length + 2;
        }

        return words;
    }

    public ValueTask Write(byte[] frame) => stream.WriteAsync(frame);

    /// <exception cref="EndOfStreamException">The other side has closed the connection.</exception>
    public async Task<byte[]> Frame()
    {
        using var whole = new MemoryStream();
        for (var left = 1; left > 0; left--)
        {
            var line = await Bytes(await LineEnd());
            whole.Write(line);
            if (line[0] == '$' && Length(line) is var length and >= 0)
            {
                whole.Write(await Bytes(length + 2));
            }
            else if (line[0] == '*')
            {
                left += Math.Max(0, Length(line));
            }
        }

        return whole.ToArray();
    }

    private static int Length(ReadOnlySpan<byte> line) => int.Parse(line[1..^2], CultureInfo.InvariantCulture);

    private async Task<int> LineEnd()
    {
        for (var from = 0; ; )
        {
            var at = Array.IndexOf(_buffer, (byte)'\n', _start + from, _end - _start - from);
            if (at >= 0)
            {
                return at + 1 - _start;
            }

            from = _end - _start;
            await Fill();
        }
    }

    private async Task<byte[]> Bytes(int count)
    {
        while (_end - _start < count)
        {
            await Fill();
        }

        var bytes = _buffer.AsSpan(_start, count).ToArray();
        _start += count;
        return bytes;
    }

    private async Task Fill()
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }

        var read = await stream.ReadAsync(_buffer.AsMemory(_end));
        _end += read > 0 ? read : throw new EndOfStreamException();
    }
}
