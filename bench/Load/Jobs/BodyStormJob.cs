using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Bff.Bench.Load.Jobs;

/// <summary>Twenty callers send bodies in every way in which a client can misbehave: what do the others feel at the same service?</summary>
internal static class BodyStormJob
{
    private const int Callers = 20,
        Rate = 100;
    private const string Path = "/orders";
    private const string Chunked = "Transfer-Encoding: chunked\r\n\r\n";

    // Each is sent, and the connection is ended by the gateway, by the caller after its answer, or by a reset.
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
        var (calm, stormy, bad, mebibytes) = (
            new List<PacedTraffic[]>(),
            new List<PacedTraffic[]>(),
            0L,
            new List<double> { gateway.Mebibytes }
        );
        for (var round = 0; round < options.Rounds; round++)
        {
            calm.Add(await Others());
            using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var storm = Task.WhenAll(
                fleet.Tokens.Take(Callers).Select(token => Task.Run(() => Misbehave(gateway, token, over.Token), CancellationToken.None))
            );
            stormy.Add(await Others());
            await over.CancelAsync();
            bad += (await storm).Sum();
            mebibytes.Add(gateway.Mebibytes);
        }

        string[] Row(string name, List<PacedTraffic[]> own, List<PacedTraffic[]> beside, int which) =>
            [
                name,
                Statistics.Text(own.Select(t => t[which].Traffic.P50), "0.00"),
                Statistics.Text(own.Select(t => t[which].Traffic.P99), "0.00"),
                Statistics.Text(own.Select(t => t[which].Worst), "0.0"),
                Statistics.Text(own.Zip(beside, (a, b) => a[which].Traffic.P50 / b[which].Traffic.P50), "0.00"),
            ];
        report.Table(
            "A storm of bad bodies",
            $"{Rate} reads/s and {Rate} writes/s of others at the same service, alone and while {Callers} callers sent {bad} bad bodies as fast as they were refused; no other request failed. "
                + $"Resident MiB of the gateway before and after each round: {string.Join(", ", mebibytes.Select(m => m.ToString("0", System.Globalization.CultureInfo.InvariantCulture)))}.",
            ["", "p50 ms", "p99 ms", "slowest ms", "p50 ×"],
            [
                Row("reads, calm", calm, calm, 0),
                Row("reads, storm", stormy, calm, 0),
                Row("writes, calm", calm, calm, 1),
                Row("writes, storm", stormy, calm, 1),
            ]
        );

        Task<PacedTraffic[]> Others() =>
            Task.WhenAll(
                new Pacer(gateway, reads, Rate, options.Seconds).Run(cancellation),
                new Pacer(gateway, writes, Rate, options.Seconds).Run(cancellation)
            );
    }

    private static async Task<long> Misbehave(Server gateway, string token, CancellationToken over)
    {
        var sent = 0L;
        var buffer = new byte[16 * 1024];
        while (!over.IsCancellationRequested)
        {
            foreach (var (message, resets) in Ways)
            {
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
                    // The gateway has ended it.
                }
            }
        }

        return sent;
    }
}
