using System.Buffers.Binary;
using Bff.Edge;
using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Routes;

/// <summary>
/// Limits the size of each message in a client's gRPC stream (PROTOCOL-HTTP2: one byte of flags, four of length, the message); a larger one
/// fails with 413. The length of the whole stream is not limited.
/// </summary>
internal sealed class GrpcMessages(Stream received, long? maxBytes, BffRequest request) : ReadOnlyStream
{
    private const int HeadLength = 5;
    private readonly byte[] _head = new byte[HeadLength];
    private int _headRead;
    private long _left;

    /// <exception cref="BadHttpRequestException">A message is too large.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await received.ReadAsync(buffer, cancellationToken);
        if (maxBytes is { } max)
        {
            Look(buffer.Span[..read], max);
        }

        return read;
    }

    private void Look(ReadOnlySpan<byte> bytes, long max)
    {
        while (bytes.Length > 0)
        {
            if (_left > 0)
            {
                var part = (int)Math.Min(_left, bytes.Length);
                _left -= part;
                bytes = bytes[part..];
                continue;
            }

            var needed = Math.Min(HeadLength - _headRead, bytes.Length);
            bytes[..needed].CopyTo(_head.AsSpan(_headRead));
            _headRead += needed;
            bytes = bytes[needed..];
            if (_headRead == HeadLength)
            {
                _headRead = 0;
                _left = BinaryPrimitives.ReadUInt32BigEndian(_head.AsSpan(1));
                if (_left > max)
                {
                    throw request.Fail(
                        new BadHttpRequestException("A message is larger than its sender is allowed.", StatusCodes.Status413PayloadTooLarge)
                    );
                }
            }
        }
    }
}
