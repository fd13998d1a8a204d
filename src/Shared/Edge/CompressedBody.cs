using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Edge;

/// <summary>
/// A response body that decides at its first byte: anything but JSON goes straight on to the server; JSON is held until it ends or exceeds
/// <see cref="HoldBytes"/>, then sent as it is (below 1 KiB) or compressed. A document that fails while it is held can still become a
/// problem. Of an answer that is passed on (<see cref="DisableBuffering"/>) nothing is held that has been flushed: the compressor is
/// flushed too; so is it with an answer in lines, which is compressed however short its first one is. Levels are the cheapest of each coding: higher ones cost five times the CPU for a few per cent of size.
/// </summary>
internal sealed class CompressedBody(HttpResponse response, IHttpResponseBodyFeature inner, ContentCoding coding)
    : PipeWriter,
        IHttpResponseBodyFeature,
        IDisposable
{
    private const int HoldBytes = 64 * 1024;

    private enum Stage
    {
        Undecided,
        Held,
        Compressing,
        Plain,
    }

    private readonly PipeWriter _writer = inner.Writer;
    private Stage _stage;
    private bool _isStreamed;
    private byte[]? _held;
    private int _count;
    private Stream? _compressor;
    private Stream? _stream;

    public PipeWriter Writer => this;

    public Stream Stream => _stream ??= AsStream(leaveOpen: true);

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes =>
        _stage is Stage.Held ? _count
        : _writer.CanGetUnflushedBytes ? _writer.UnflushedBytes
        : 0;

    public override Memory<byte> GetMemory(int sizeHint = 0) => IsPlain() ? _writer.GetMemory(sizeHint) : Room(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => IsPlain() ? _writer.GetSpan(sizeHint) : Room(sizeHint).Span;

    public override void Advance(int bytes)
    {
        if (_stage is Stage.Plain)
        {
            _writer.Advance(bytes);
        }
        else
        {
            _count += bytes;
        }
    }

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default) =>
        IsPlain() ? _writer.WriteAsync(source, cancellationToken) : base.WriteAsync(source, cancellationToken);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (!IsPlain())
        {
            if (_stage is Stage.Held && !IsDue())
            {
                return new(new FlushResult(isCanceled: false, isCompleted: false));
            }

            if (
                _stage is Stage.Held
                && _isStreamed
                && !IsProgressive
                && _count is > 0 and < ResponseHeaders.CompressFromBytes
                && response.ContentLength is null
            )
            {
                _stage = Stage.Plain; // Most likely all of a small document, whose end has not been seen yet.
                _writer.Write(_held.AsSpan(0, _count));
                _count = 0;
                Return();
            }
            else
            {
                Drain();
                if (_isStreamed)
                {
                    _compressor!.Flush();
                }
            }
        }

        return _writer.FlushAsync(cancellationToken);
    }

    public override void CancelPendingFlush() => _writer.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        if (exception is not null)
        {
            _writer.Complete(exception);
        }
    }

    public override ValueTask CompleteAsync(Exception? exception = null)
    {
        Complete(exception);
        return ValueTask.CompletedTask;
    }

    /// <summary>What is flushed from here on goes out, except a document that is complete already.</summary>
    public void DisableBuffering()
    {
        _isStreamed = true;
        inner.DisableBuffering();
    }

    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        // The headers go out now: nothing can be held any longer. A document that is not there yet is sent as it comes.
        if (_stage is Stage.Undecided)
        {
            _stage = Stage.Plain;
        }
        else if (_stage is Stage.Held)
        {
            Drain();
        }

        return inner.StartAsync(cancellationToken);
    }

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default)
    {
        if (_stage is Stage.Undecided)
        {
            _stage = Stage.Plain;
            return inner.SendFileAsync(path, offset, count, cancellationToken);
        }

        return SendFileFallback.SendFileAsync(Stream, path, offset, count, cancellationToken);
    }

    async Task IHttpResponseBodyFeature.CompleteAsync()
    {
        await Finish();
        await inner.CompleteAsync();
    }

    /// <summary>Forgets what is held; false when something has gone on already.</summary>
    public bool TryDiscard()
    {
        if (_stage is Stage.Held)
        {
            _count = 0;
            _stage = Stage.Undecided;
        }

        return _stage is Stage.Undecided;
    }

    /// <summary>The document has ended.</summary>
    public async ValueTask Finish()
    {
        if (_stage is Stage.Held && _count < ResponseHeaders.CompressFromBytes)
        {
            _stage = Stage.Plain;
            _writer.Write(_held.AsSpan(0, _count));
            await _writer.FlushAsync(response.HttpContext.RequestAborted);
        }
        else if (_stage is Stage.Held or Stage.Compressing)
        {
            Drain();
            _compressor!.Dispose(); // Writes the end of the coding.
            _stage = Stage.Plain;
            await _writer.FlushAsync(response.HttpContext.RequestAborted);
        }

        Return();
    }

    public void Dispose() => Return();

    private bool IsPlain()
    {
        if (_stage is Stage.Undecided)
        {
            _stage = IsWorthwhile() ? Stage.Held : Stage.Plain;
        }

        return _stage is Stage.Plain;
    }

    private bool IsProgressive => response.HttpContext.Features.Get<BffRequest>() is { IsProgressive: true };

    private bool IsDue() => _count > HoldBytes || (_isStreamed && !(response.ContentLength is { } all && _count >= all));

    private bool IsWorthwhile() =>
        !response.HasStarted
        && (MediaTypes.IsJson(response.ContentType) || IsProgressive)
        && response.ContentLength is null or >= ResponseHeaders.CompressFromBytes
        && response.Headers.ContentEncoding.Count == 0
        && response.Headers.ContentRange.Count == 0
        && response.Headers.CacheControl.ToString().Contains("no-transform", StringComparison.OrdinalIgnoreCase) is false;

    private Memory<byte> Room(int sizeHint)
    {
        if (_count > HoldBytes)
        {
            Drain();
        }

        var needed = _count + Math.Max(sizeHint, 256);
        if (_held is null || _held.Length < needed)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, _held is null ? 4096 : _held.Length * 2));
            _held.AsSpan(0, _count).CopyTo(larger);
            Return();
            _held = larger;
        }

        return _held.AsMemory(_count);
    }

    private void Drain()
    {
        if (_compressor is null)
        {
            Start();
        }

        _compressor!.Write(_held.AsSpan(0, _count));
        _count = 0;
    }

    private void Start()
    {
        _stage = Stage.Compressing;
        var headers = response.Headers;
        headers.ContentEncoding = coding is ContentCoding.Brotli ? "br" : "gzip";
        headers.ContentMD5 = default;
        headers.ContentLength = null;
        if (headers.ETag is [{ } etag] && !etag.StartsWith("W/", StringComparison.Ordinal))
        {
            headers.ETag = "W/" + etag; // The bytes are no longer the ones that the strong tag promised.
        }

        var sink = new WriterStream(_writer);
        _compressor =
            coding is ContentCoding.Brotli
                ? new BrotliStream(sink, CompressionLevel.Fastest, leaveOpen: true)
                : new GZipStream(sink, CompressionLevel.Fastest, leaveOpen: true);
    }

    private void Return()
    {
        if (_held is { } held)
        {
            _held = null;
            ArrayPool<byte>.Shared.Return(held);
        }
    }

    /// <summary>Puts the compressor's output into the server's buffer; never waits.</summary>
    private sealed class WriterStream(PipeWriter writer) : Stream
    {
        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush() { }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => writer.Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer) => writer.Write(buffer);
    }
}
