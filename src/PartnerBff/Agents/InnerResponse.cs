using System.IO.Pipelines;
using Bff.Edge;
using Microsoft.AspNetCore.Http.Features;

namespace PartnerBff.Agents;

/// <summary>
/// A response that stays in the process. Like the server's, it starts with its first bytes and cannot be changed afterwards.
/// </summary>
internal sealed class InnerResponse : WriteOnlyStream, IHttpResponseFeature, IHttpResponseBodyFeature
{
    /// <summary>Maximum size of a kept body, the same as the default limit of a service's answer.</summary>
    public const int MaxBytes = 4 * 1024 * 1024;

    private readonly Stack<(Func<object, Task> Call, object State)> _starting = new();
    private readonly Stack<(Func<object, Task> Call, object State)> _completed = new();
    private readonly MemoryStream _kept = new();
    private PipeWriter? _writer;

    public int StatusCode { get; set; } = StatusCodes.Status200OK;

    public string? ReasonPhrase { get; set; }

    public IHeaderDictionary Headers { get; set; } = new HeaderDictionary();

    public Stream Body
    {
        get => this;
        set => throw new NotSupportedException(); // No stage before an endpoint replaces the stream itself.
    }

    public bool HasStarted { get; private set; }

    /// <summary>Whether the body was longer than what is kept.</summary>
    public bool IsCutOff { get; private set; }

    public ReadOnlyMemory<byte> Kept => _kept.GetBuffer().AsMemory(0, (int)_kept.Length);

    public Stream Stream => this;

    public PipeWriter Writer => _writer ??= PipeWriter.Create(this, new(leaveOpen: true));

    public void OnStarting(Func<object, Task> callback, object state) => _starting.Push((callback, state));

    public void OnCompleted(Func<object, Task> callback, object state) => _completed.Push((callback, state));

    public void DisableBuffering() { }

    public async Task StartAsync(CancellationToken cancellationToken = default)
    {
        if (HasStarted)
        {
            return;
        }

        while (_starting.TryPop(out var callback))
        {
            await callback.Call(callback.State);
        }

        HasStarted = true;
    }

    public async Task CompleteAsync()
    {
        if (_writer is not null)
        {
            await _writer.FlushAsync();
        }

        await StartAsync();
    }

    /// <summary>Releases what the request holds; call it once, however the request ends.</summary>
    public async Task End()
    {
        while (_completed.TryPop(out var callback))
        {
            await callback.Call(callback.State);
        }
    }

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        SendFileFallback.SendFileAsync(this, path, offset, count, cancellationToken);

    public override Task FlushAsync(CancellationToken cancellationToken) => StartAsync(cancellationToken);

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        await StartAsync(cancellationToken);
        var room = MaxBytes - (int)_kept.Length;
        IsCutOff |= buffer.Length > room;
        _kept.Write(buffer.Span[..Math.Min(buffer.Length, room)]);
    }
}
