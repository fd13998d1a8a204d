using System.Buffers;
using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bff.Observability;

/// <summary>
/// The access log, written off the request path: requests put their line into a bounded queue, one writer empties it at most fifty times a second, so that it is
/// not woken by each of them. When the output cannot keep up, lines are dropped and counted (<c>bff.accesslog.dropped</c>) rather than requests held.
/// </summary>
internal sealed partial class AccessLog(AccessLogOptions options, ILogger<AccessLog> logger) : BackgroundService
{
    private const int Capacity = 16_384;
    private const int FlushBytes = 64 * 1024;
    private static readonly TimeSpan Gathering = TimeSpan.FromMilliseconds(20);

    private static readonly Counter<long> Dropped =
        Telemetry.Meter.CreateCounter<long>("bff.accesslog.dropped", "{line}", "Access log lines that were not written because the output could not keep up.");

    private readonly Channel<AccessLogLine> _lines = Channel.CreateBounded<AccessLogLine>(new BoundedChannelOptions(Capacity)
    {
        SingleReader = true,
        FullMode = BoundedChannelFullMode.Wait, // TryWrite then says no instead of dropping silently.
    });

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
        _lines.Writer.TryComplete(); // What was accepted is written before the host goes.
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
                json.Reset();
                line.Write(json);
                json.Flush();
                buffer.Write("\n"u8);
                if (buffer.WrittenCount >= FlushBytes)
                {
                    await WriteOut(output, buffer);
                }
            }

            await WriteOut(output, buffer);
        }
    }

    private async Task WriteOut(Stream output, ArrayBufferWriter<byte> buffer)
    {
        try
        {
            await output.WriteAsync(buffer.WrittenMemory, CancellationToken.None);
            await output.FlushAsync(CancellationToken.None);
        }
        catch (IOException broken)
        {
            LogBroken(logger, broken);
        }

        buffer.ResetWrittenCount();
    }

    [LoggerMessage(LogLevel.Warning, "The access log's output is broken; lines are lost")]
    private static partial void LogBroken(ILogger logger, Exception exception);
}
