using System.Buffers;
using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Threading.Channels;
using Bff.Concurrency;
using Bff.Requests;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bff.Observability;

/// <summary>
/// Writes the access log off the request path. Requests put their lines into a bounded queue. One writer empties it at most fifty times a
/// second, so that it is not woken for each request. If the output cannot keep up, lines are dropped and counted
/// (<c>bff.accesslog.dropped</c>) rather than requests held.
/// </summary>
internal sealed class AccessLog(AccessLogOptions options, ILogger<AccessLog> logger) : BackgroundService
{
    private const int Capacity = 16_384;
    private const int FlushBytes = 64 * 1024;
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(20);

    private static readonly Counter<long> Dropped = Instruments.Meter.CreateCounter<long>(
        "bff.accesslog.dropped",
        "{line}",
        "Access log lines that were not written because the output could not keep up."
    );

    private readonly BackgroundLoop _loop = new("access-log", logger);

    // Never reported as recovered, because the next line of the same kind fails again.
    private readonly BackgroundLoop _lineByLine = new("access-log-lines", logger);

    private readonly Channel<AccessLogLine> _lines = Channel.CreateBounded<AccessLogLine>(
        new BoundedChannelOptions(Capacity)
        {
            SingleReader = true,
            FullMode = BoundedChannelFullMode.Wait, // TryWrite then returns false instead of dropping silently.
        }
    );

    public bool IsEnabled => options.Enabled;

    public void Write(in AccessLogLine line)
    {
        if (!_lines.Writer.TryWrite(line))
        {
            Dropped.Add(1);
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _lines.Writer.TryComplete(); // Accepted lines are written before the host ends.
        await (ExecuteTask?.WaitAsync(cancellationToken) ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        await using var output = options.Output ?? Console.OpenStandardOutput();
        var buffer = new ArrayBufferWriter<byte>(FlushBytes);
        using var json = new Utf8JsonWriter(buffer);
        while (await _lines.Reader.WaitToReadAsync(CancellationToken.None))
        {
            await Task.Delay(Gathering, CancellationToken.None);
            while (_lines.Reader.TryRead(out var line))
            {
                Append(line, json, buffer);
                if (buffer.WrittenCount >= FlushBytes)
                {
                    await WriteOut(output, buffer);
                }
            }

            await WriteOut(output, buffer);
        }
    }

    private void Append(in AccessLogLine line, Utf8JsonWriter json, ArrayBufferWriter<byte> buffer)
    {
        try
        {
            json.Reset();
            line.Write(json);
            json.Flush();
            buffer.Write("\n"u8);
        }
#pragma warning disable CA1031 // A line that cannot be written is lost without losing those that follow.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            Dropped.Add(1);
            _lineByLine.Failed(failure);
        }
    }

    private async Task WriteOut(Stream output, ArrayBufferWriter<byte> buffer)
    {
        await _loop.Try(
            async _ =>
            {
                await output.WriteAsync(buffer.WrittenMemory, CancellationToken.None);
                await output.FlushAsync(CancellationToken.None);
            },
            CancellationToken.None
        );
        buffer.ResetWrittenCount();
    }
}
