using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;

namespace Bff.Bench.Load;

/// <summary>
/// Sends at a fixed rate, whatever the server does. Each of sixteen connections has its own timetable, and a latency begins when the
/// request was due, not when it could be sent (coordinated omission). Uses blocking sockets and exact sleeps, so that the client adds
/// little of its own.
/// </summary>
internal sealed partial class Pacer(Server server, Target target, double perSecond, double seconds, int connections = 16)
{
    private readonly long _begins = Stopwatch.GetTimestamp() + (Stopwatch.Frequency / 20);

    /// <summary>
    /// Whether refusals by overload and limits are allowed. Any other unexpected answer makes a run invalid.
    /// </summary>
    public bool RefusalsAreFine { get; init; }

    /// <exception cref="InvalidRunException">An answer was wrong, or a connection broke.</exception>
    public async Task<PacedTraffic> Run(CancellationToken cancellation)
    {
        var lanes = Enumerable.Range(0, connections).Select(i => new Lane()).ToArray();
        await Task.WhenAll(
            lanes.Select(
                (lane, i) =>
                    Task.Factory.StartNew(
                        () => Drive(lane, i, cancellation),
                        cancellation,
                        TaskCreationOptions.LongRunning,
                        TaskScheduler.Default
                    )
            )
        );
        cancellation.ThrowIfCancellationRequested();
        if (lanes.FirstOrDefault(l => l.Wrong is not null)?.Wrong is { } wrong)
        {
            throw new InvalidRunException($"{server.Name} {target.Path} at {perSecond}/s: {wrong}");
        }

        var good = lanes.SelectMany(l => l.Good).Order().ToArray();
        return good.Length == 0
            ? throw new InvalidRunException($"{server.Name} {target.Path} at {perSecond}/s: no good answer at all")
            : new(
                new Traffic(
                    good.Length + lanes.Sum(l => l.Refused),
                    seconds,
                    Statistics.Percentile(good, 0.5),
                    Statistics.Percentile(good, 0.99)
                ),
                good.Length,
                lanes.Sum(l => l.Refused),
                good[^1]
            );
    }

    private void Drive(Lane lane, int index, CancellationToken cancellation)
    {
        var interval = Stopwatch.Frequency * connections / perSecond;
        var due = _begins + (interval * index / connections);
        var ends = _begins + (seconds * Stopwatch.Frequency);
        var (method, rest) = target.Body is { } body
            ? ("POST", $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}")
            : ("GET", "\r\n");
        var requests = target
            .Tokens.Select(t =>
                Encoding.ASCII.GetBytes(
                    $"{method} {target.Path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {t}\r\nUser-Agent: bench/1\r\n{rest}"
                )
            )
            .ToArray();
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = 10_000,
        };
        try
        {
            socket.Connect(IPAddress.Loopback, server.Port);
            var reader = new AnswerReader(socket);
            for (
                var turn = index;
                due < ends && Stopwatch.GetTimestamp() < ends && lane.Wrong is null && !cancellation.IsCancellationRequested;
                turn += connections, due += interval
            )
            {
                Sleep(due - Stopwatch.GetTimestamp());
                socket.Send(requests[turn % requests.Length]);
                var status = reader.Read(target.Expected, out var isExpected);
                if (status == 200 && isExpected)
                {
                    lane.Good.Add((Stopwatch.GetTimestamp() - due) * 1000 / Stopwatch.Frequency);
                }
                else if (RefusalsAreFine && status is 429 or 503)
                {
                    lane.Refused++;
                }
                else
                {
                    lane.Wrong = $"status {status}, expected text {(isExpected ? "there" : "missing")}";
                }
            }
        }
        catch (Exception broken) when (broken is SocketException or IOException)
        {
            lane.Wrong = broken.Message;
        }
    }

    private static void Sleep(double ticks)
    {
        if (ticks > 0)
        {
            var nanoseconds = (long)(ticks * 1e9 / Stopwatch.Frequency);
            var time = new TimeSpec(nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
            _ = NanoSleep(time, IntPtr.Zero); // Thread.Sleep rounds to whole milliseconds, the scale of the measurement.
        }
    }

    [LibraryImport("libc", EntryPoint = "nanosleep")]
    private static partial int NanoSleep(in TimeSpec time, IntPtr remaining);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct TimeSpec(long Seconds, long Nanoseconds);

    private sealed class Lane
    {
        public List<double> Good { get; } = [];

        public int Refused { get; set; }

        public string? Wrong { get; set; }
    }
}

/// <summary>Results of a paced run.</summary>
internal sealed record PacedTraffic(Traffic Traffic, int Good, int Refused, double Worst);
