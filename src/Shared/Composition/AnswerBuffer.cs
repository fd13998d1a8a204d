using System.Buffers;

namespace Bff.Composition;

/// <summary>Buffers a composed answer until its length is known; the memory is pooled.</summary>
internal sealed class AnswerBuffer : IBufferWriter<byte>, IDisposable
{
    private const int UsualBytes = 8 * 1024;
    private byte[] _bytes = ArrayPool<byte>.Shared.Rent(UsualBytes);

    public int WrittenCount { get; private set; }

    public ReadOnlySpan<byte> WrittenSpan => _bytes.AsSpan(0, WrittenCount);

    public ReadOnlyMemory<byte> WrittenMemory => _bytes.AsMemory(0, WrittenCount);

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(_bytes.Length - WrittenCount));
        WrittenCount += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsMemory(WrittenCount);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _bytes.AsSpan(WrittenCount);
    }

    /// <summary>Discards all written bytes.</summary>
    public void Clear() => WrittenCount = 0;

    /// <summary>Discards the last written byte.</summary>
    public void DropLast() => WrittenCount--;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _bytes, []) is { Length: > 0 } bytes)
        {
            WrittenCount = 0;
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private void Reserve(int sizeHint)
    {
        var wanted = Math.Max(sizeHint, 1);
        if (_bytes.Length - WrittenCount < wanted)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_bytes.Length * 2, WrittenCount + wanted));
            WrittenSpan.CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = larger;
        }
    }
}
