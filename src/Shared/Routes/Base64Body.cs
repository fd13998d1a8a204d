using System.Buffers;
using System.Buffers.Text;
using Bff.Edge;
using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Routes;

/// <summary>Decodes a gRPC-Web text body: consecutive pieces of Base64, with or without padding (PROTOCOL-WEB).</summary>
internal sealed class Base64Body(Stream received, BffRequest request) : ReadOnlyStream
{
    private const int Quad = 4;
    private readonly byte[] _text = new byte[4096];
    private readonly byte[] _bytes = new byte[3072];
    private int _textLength;
    private int _taken;
    private int _bytesLength;

    /// <exception cref="BadHttpRequestException">The body is not Base64.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_taken == _bytesLength)
        {
            var read = await received.ReadAsync(_text.AsMemory(_textLength), cancellationToken);
            if (read == 0)
            {
                return _textLength == 0 ? 0 : throw Malformed();
            }

            _textLength += read;
            Decode();
        }

        var length = Math.Min(buffer.Length, _bytesLength - _taken);
        _bytes.AsMemory(_taken, length).CopyTo(buffer);
        _taken += length;
        return length;
    }

    /// <summary>Decodes whole quads, piece by piece, because the decoder stops at padding.</summary>
    private void Decode()
    {
        var text = _text.AsSpan(0, _textLength - (_textLength % Quad));
        (_taken, _bytesLength) = (0, 0);
        while (text.Length > 0)
        {
            var padding = text.IndexOf((byte)'=');
            var piece = padding < 0 ? text : text[..((padding / Quad + 1) * Quad)];
            if (
                Base64.DecodeFromUtf8(piece, _bytes.AsSpan(_bytesLength), out var read, out var written) != OperationStatus.Done
                || read != piece.Length
            )
            {
                throw Malformed();
            }

            _bytesLength += written;
            text = text[piece.Length..];
        }

        var rest = _textLength % Quad;
        _text.AsSpan(_textLength - rest, rest).CopyTo(_text);
        _textLength = rest;
    }

    private BadHttpRequestException Malformed() => request.Fail(new BadHttpRequestException("The body is not Base64."));
}
