using System.IO.Compression;
using System.IO.Pipelines;
using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Edge;

/// <summary>
/// Compresses a response body where that is worthwhile. 1. The response's head decides at the first byte: anything other than JSON, and a
/// document below 1 KiB, goes directly to the server. 2. JSON of unknown length is held until it reaches 1 KiB or ends. 3. The rest is
/// compressed as it is written. When buffering is off (<see cref="DisableBuffering"/>), nothing written is held: the compressor is flushed
/// too, unless the document is complete. The same holds for a progressive response in lines, which is compressed even when its first line
/// is short. Each coding uses its cheapest level, because higher ones cost five times the CPU for a few per cent of size.
/// </summary>
internal sealed class CompressedBody(HttpResponse response, IHttpResponseBodyFeature inner, ContentCoding coding)
    : WriteOnlyStream,
        IHttpResponseBodyFeature
{
    private static readonly StreamPipeWriterOptions LeaveOpen = new(leaveOpen: true);

    private PipeWriter? _writer;
    private Stream? _compressor;
    private byte[]? _held;
    private int _count;
    private long? _left;
    private bool _isPlain;
    private bool _isStreamed;

    public Stream Stream => this;

    /// <summary>The server's own writer for an uncompressed body.</summary>
    public PipeWriter Writer =>
        _writer ?? (response.ContentType is not null && IsPlain() ? inner.Writer : _writer = PipeWriter.Create(this, LeaveOpen));

    private bool IsProgressive => response.HttpContext.Features.Get<BffRequest>() is { IsProgressive: true };

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        IsPlain() ? inner.Stream.WriteAsync(buffer, cancellationToken) : Take(buffer, cancellationToken);

    public override Task FlushAsync(CancellationToken cancellationToken) =>
        IsPlain() ? inner.Stream.FlushAsync(cancellationToken)
        : _isStreamed ? FlushStreamed(cancellationToken).AsTask()
        : Task.CompletedTask;

    /// <summary>Sends everything that is written from here on, except when the document is already complete.</summary>
    public void DisableBuffering()
    {
        _isStreamed = true;
        inner.DisableBuffering();
    }

    /// <summary>Sends the head now. A document whose compression has not begun is then sent uncompressed.</summary>
    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (_compressor is null)
        {
            await GoPlain(cancellationToken);
        }

        await inner.StartAsync(cancellationToken);
    }

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        SendFileFallback.SendFileAsync(this, path, offset, count, cancellationToken);

    async Task IHttpResponseBodyFeature.CompleteAsync()
    {
        await Finish();
        await inner.CompleteAsync();
    }

    /// <summary>Discards what has been written. Returns false when some of it has already reached the server.</summary>
    public bool TryDiscard()
    {
        if (response.HasStarted || inner.Writer is { CanGetUnflushedBytes: true, UnflushedBytes: > 0 })
        {
            return false;
        }

        _writer?.Complete(new OperationCanceledException()); // Discards what has not been flushed.
        (_writer, _compressor, _count, _isPlain) = (null, null, 0, false);
        return true;
    }

    /// <summary>Completes the body when the response has ended.</summary>
    public async ValueTask Finish()
    {
        _isStreamed = false; // The end of the coding flushes it.
        if (_writer is { } writer)
        {
            _writer = null;
            await writer.CompleteAsync();
        }

        if (_compressor is { } compressor)
        {
            await compressor.DisposeAsync(); // Writes the end of the coding.
            (_compressor, _isPlain) = (null, true);
        }
        else if (_count > 0)
        {
            await GoPlain(response.HttpContext.RequestAborted);
        }
    }

    private async ValueTask Take(ReadOnlyMemory<byte> buffer, CancellationToken cancellation)
    {
        if (_compressor is null && !IsLarge(buffer.Length))
        {
            buffer.CopyTo((_held ??= new byte[ResponseHeaders.CompressFromBytes]).AsMemory(_count));
            _count += buffer.Length;
        }
        else
        {
            var compressor = _compressor ?? Start();
            if (_count > 0)
            {
                await compressor.WriteAsync(_held.AsMemory(0, _count), cancellation);
                _count = 0;
            }

            await compressor.WriteAsync(buffer, cancellation);
            _left -= buffer.Length;
        }

        if (_isStreamed)
        {
            await FlushStreamed(cancellation);
        }
    }

    private async ValueTask FlushStreamed(CancellationToken cancellation)
    {
        if (_count > 0)
        {
            await GoPlain(cancellation); // Probably all of a small document whose end has not been seen yet.
            return;
        }

        var compressor = _compressor ?? Start();
        if (_left != 0)
        {
            await compressor.FlushAsync(cancellation);
        }
    }

    private async ValueTask GoPlain(CancellationToken cancellation)
    {
        _isPlain = true;
        if (_count > 0)
        {
            await inner.Stream.WriteAsync(_held.AsMemory(0, _count), cancellation);
            _count = 0;
        }
    }

    private bool IsPlain() => _isPlain || (_isPlain = _compressor is null && _count == 0 && !IsWorthwhile());

    private bool IsWorthwhile() =>
        !response.HasStarted
        && (MediaTypes.IsJson(response.ContentType) || IsProgressive)
        && response.ContentLength is null or >= ResponseHeaders.CompressFromBytes
        && response.Headers.ContentEncoding.Count == 0
        && response.Headers.ContentRange.Count == 0
        && response.Headers.CacheControl.ToString().Contains("no-transform", StringComparison.OrdinalIgnoreCase) is false;

    private bool IsLarge(int more) =>
        response.ContentLength is not null || IsProgressive || _count + more >= ResponseHeaders.CompressFromBytes;

    private Stream Start()
    {
        var headers = response.Headers;
        headers.ContentEncoding = coding is ContentCoding.Brotli ? "br" : "gzip";
        _left = headers.ContentLength;
        headers.ContentLength = null;
        foreach (var name in ResponseHeaders.Digests)
        {
            headers.Remove(name); // They describe the uncompressed bytes.
        }

        if (headers.ETag is [{ } etag] && !etag.StartsWith("W/", StringComparison.Ordinal))
        {
            headers.ETag = "W/" + etag; // The strong tag promised other bytes.
        }

        return _compressor =
            coding is ContentCoding.Brotli
                ? new BrotliStream(inner.Stream, CompressionLevel.Fastest, leaveOpen: true)
                : new GZipStream(inner.Stream, CompressionLevel.Fastest, leaveOpen: true);
    }
}
