using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bff.Bench.Load.Jobs;

/// <summary>
/// Measures what callers notice while twenty others misbehave with bodies in every way and call the same service. One run uses a rate that
/// leaves processors free, so that callers could only wait for a slot or a circuit breaker. The other sends as fast as bodies are refused,
/// so that callers wait for the processors.
/// </summary>
internal static class BodyStormJob
{
    private const int Callers = 20,
        Rate = 100,
        StormRate = 300;
    private const string Path = "/orders";
    private const string Chunked = "Transfer-Encoding: chunked\r\n\r\n";

    // After sending, the connection is ended by the gateway, by the caller after its answer, or by a reset.
    private static readonly (string Message, bool Resets)[] Ways =
    [
        (Chunked + "zz\r\n", false),
        (Chunked + "5\r\n{\"ite\r\nzz\r\n", false),
        (Chunked + "ffffffff\r\n", false),
        ("Content-Length: 1099511627776\r\n\r\n", false),
        ("Content-Length: 2\r\n\r\n{}GARBAGE \0\r\n\r\n", false),
        ("Content-Length: 200\r\n\r\n{\"items\"", true),
        ("Content-Length: 200\r\n\r\n", true),
        (Chunked + "5\r\n{\"i", true),
    ];

    public static async Task Run(Fleet fleet, LoadOptions options, Report report, CancellationToken cancellation)
    {
        await using var gateway = await fleet.Gateway("gateway-storm", "Leased", [], cancellation);
        await Rounds.Saturated(
            [new("pass-through", gateway, PassThroughJob.Products(fleet))],
            options with
            {
                Rounds = 1,
                Requests = 5000,
            },
            cancellation
        );
        var others = fleet.Tokens.Skip(Callers).ToArray();
        var reads = new Target("/orders", "\"items\"", others);
        var writes = new Target(Path, "{}", others) { Body = "{\"items\":[]}" };
        var storms = new (string Name, int? Rate)[] { ("calm", 0), ($"storm of {StormRate}/s", StormRate), ("storm", null) };
        var rounds = storms.Select(_ => new List<Phase>()).ToArray();
        var mebibytes = new List<double> { gateway.Mebibytes };
        for (var round = 0; round < options.Rounds; round++)
        {
            for (var storm = 0; storm < storms.Length; storm++)
            {
                rounds[storm].Add(await Beside(storms[storm].Rate));
            }

            mebibytes.Add(gateway.Mebibytes);
        }

        IEnumerable<string[]> Rows(string name, int which) =>
            storms.Select(
                (storm, i) =>
                    new[]
                    {
                        $"{name}, {storm.Name}",
                        Statistics.Text(rounds[i].Select(p => p.Others[which].Traffic.P50), "0.00"),
                        Statistics.Text(rounds[i].Select(p => p.Others[which].Traffic.P99), "0.00"),
                        Statistics.Text(rounds[i].Select(p => p.Others[which].Worst), "0.0"),
                        Statistics.Text(
                            rounds[i].Zip(rounds[0], (own, calm) => own.Others[which].Traffic.P50 / calm.Others[which].Traffic.P50),
                            "0.00"
                        ),
                        Statistics.Text(rounds[i].Select(p => p.Busy * 100), "0"),
                    }
            );
        report.Table(
            "A storm of bad bodies",
            $"{Rate} reads/s and {Rate} writes/s of others at the same service, alone, while {Callers} callers sent {Bad(1)} bad bodies at "
                + $"{StormRate}/s, and while they sent {Bad(2)} as fast as they were refused; no other request failed. "
                + $"Resident MiB of the gateway before and after each round: {string.Join(", ", mebibytes.Select(Whole))}.",
            ["", "p50 ms", "p99 ms", "slowest ms", "p50 ×", "processors busy %"],
            [.. Rows("reads", 0), .. Rows("writes", 1)]
        );

        long Bad(int storm) => rounds[storm].Sum(p => p.Bad);

        static string Whole(double number) => number.ToString("0", CultureInfo.InvariantCulture);

        // Measures the others' traffic beside bad bodies at a rate; 0: none, null: as fast as they are refused.
        async Task<Phase> Beside(int? rate)
        {
            using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var storm = Task.WhenAll(
                fleet
                    .Tokens.Take(rate == 0 ? 0 : Callers)
                    .Select(
                        (token, i) =>
                            Task.Run(() => Misbehave(gateway, token, (double?)rate / Callers, i, over.Token), CancellationToken.None)
                    )
            );
            var before = Processors();
            var traffic = await Others();
            var after = Processors();
            await over.CancelAsync();
            return new(traffic, (await storm).Sum(), 1 - ((after.Idle - before.Idle) / (after.All - before.All)));
        }

        Task<PacedTraffic[]> Others() =>
            Task.WhenAll(
                new Pacer(gateway, reads, Rate, options.Seconds).Run(cancellation),
                new Pacer(gateway, writes, Rate, options.Seconds).Run(cancellation)
            );
    }

    /// <summary>Returns the ticks of the machine's processors so far, including everything that runs on it.</summary>
    private static (double All, double Idle) Processors()
    {
        var ticks = File.ReadLines("/proc/stat")
            .First()
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..9]
            .Select(t => double.Parse(t, CultureInfo.InvariantCulture))
            .ToArray();
        return (ticks.Sum(), ticks[3] + ticks[4]); // Idle, and waiting for a disk.
    }

    private static async Task<long> Misbehave(Server gateway, string token, double? perSecond, int index, CancellationToken over)
    {
        var sent = 0L;
        var buffer = new byte[16 * 1024];
        var interval = TimeSpan.FromSeconds(1 / perSecond ?? 0);
        var due = Stopwatch.GetTimestamp() + (long)(interval.TotalSeconds * index / Callers * Stopwatch.Frequency);
        while (!over.IsCancellationRequested)
        {
            foreach (var (message, resets) in Ways)
            {
                if (perSecond is not null)
                {
                    var wait = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
                    await Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, over)
                        .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    if (over.IsCancellationRequested)
                    {
                        return sent;
                    }

                    due += (long)(interval.TotalSeconds * Stopwatch.Frequency);
                }

                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                try
                {
                    await socket.ConnectAsync(IPAddress.Loopback, gateway.Port, CancellationToken.None);
                    var head =
                        $"POST {Path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n";
                    await socket.SendAsync(Encoding.Latin1.GetBytes(head + message), CancellationToken.None);
                    if (resets)
                    {
                        socket.LingerState = new LingerOption(true, 0);
                    }
                    else
                    {
                        _ = await socket.ReceiveAsync(buffer, CancellationToken.None);
                    }

                    sent++;
                }
                catch (SocketException)
                {
                    // The gateway has ended the connection.
                }
            }
        }

        return sent;
    }

    /// <summary>Measurements of the others during a phase.</summary>
    /// <param name="Others">Their reads and writes.</param>
    /// <param name="Bad">Number of bad bodies sent meanwhile.</param>
    /// <param name="Busy">Share of the machine's processors that was used.</param>
    private sealed record Phase(PacedTraffic[] Others, long Bad, double Busy);
}
