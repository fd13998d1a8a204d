using System.Diagnostics;
using System.Globalization;
using System.Net;

namespace Bff.Bench.Load.Jobs;

/// <summary>
/// Sends 1 GiB up and 1 GiB down through a streaming route. Measures the gateway's memory from outside, and when the first byte arrives.
/// </summary>
internal static class LargeBodiesJob
{
    private const long Bytes = 1024L * 1024 * 1024;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(10);

    public static async Task Run(Fleet fleet, LoadOptions options, Report report, CancellationToken cancellation)
    {
        await using var gateway = await fleet.Gateway("gateway-bodies", "Leased", Routes, cancellation);
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromMinutes(5) };
        http.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", "Bearer " + fleet.Tokens[0]);
        await Rounds.Saturated(
            [new("pass-through", gateway, PassThroughJob.Products(fleet))],
            options with
            {
                Rounds = 1,
                Requests = 1000,
            },
            cancellation
        );

        var (up, down, direct) = (new List<Transfer>(), new List<Transfer>(), new List<Transfer>());
        for (var round = 0; round < options.Rounds; round++)
        {
            up.Add(await Watched(gateway, () => Upload(http, gateway, cancellation)));
            down.Add(await Watched(gateway, () => Download(http, gateway, "/bench/source", cancellation)));
            direct.Add(await Watched(gateway, () => Download(http, fleet.Services, "/source", cancellation)));
        }

        string[] Row(string name, List<Transfer> own) =>
            [
                name,
                Statistics.Text(own.Select(t => t.FirstByte.TotalMilliseconds), "0.0"),
                Statistics.Text(own.Select(t => t.Took.TotalSeconds), "0.00"),
                Statistics.Text(own.Select(t => t.Before), "0"),
                Statistics.Text(own.Select(t => t.Peak), "0"),
            ];
        report.Table(
            "1 GiB up and down a streaming route",
            "`MaxRequestBodySize: -1`, chunked, one transfer at a time; resident MiB of the gateway before it and at most during it (looked at every 10 ms). First byte: of the answer that the client has; the upload's comes when the service has all of it.",
            ["", "first byte ms", "took s", "MiB before", "MiB at most"],
            [Row("upload", up), Row("download", down), Row("download, the service asked directly", direct)]
        );
    }

    private static string[] Routes =>
        [
            "ReverseProxy:Routes:sink:ClusterId=media",
            "ReverseProxy:Routes:sink:Match:Path=/bench/sink",
            "ReverseProxy:Routes:sink:Transforms:0:PathSet=/sink",
            "ReverseProxy:Routes:sink:Metadata:Scope=api",
            "ReverseProxy:Routes:sink:MaxRequestBodySize=-1",
            "ReverseProxy:Routes:source:ClusterId=media",
            "ReverseProxy:Routes:source:Match:Path=/bench/source",
            "ReverseProxy:Routes:source:Transforms:0:PathSet=/source",
            "ReverseProxy:Routes:source:Metadata:Scope=api",
        ];

    private static async Task<TimeSpan> Upload(HttpClient http, Server server, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, server.Address + "/bench/sink") { Content = new Zeros() };
        request.Headers.TransferEncodingChunked = true;
        var clock = Stopwatch.StartNew();
        using var answer = await http.SendAsync(request, cancellation);
        var first = clock.Elapsed;
        var took = await answer.Content.ReadAsStringAsync(cancellation);
        return answer.IsSuccessStatusCode && took == Bytes.ToString(CultureInfo.InvariantCulture)
            ? first
            : throw new InvalidRunException($"upload: {(int)answer.StatusCode} {took}");
    }

    private static async Task<TimeSpan> Download(HttpClient http, Server server, string path, CancellationToken cancellation)
    {
        var clock = Stopwatch.StartNew();
        using var answer = await http.GetAsync(
            $"{server.Address}{path}?bytes={Bytes}",
            HttpCompletionOption.ResponseHeadersRead,
            cancellation
        );
        await using var body = await answer.Content.ReadAsStreamAsync(cancellation);
        var buffer = new byte[64 * 1024];
        long total = await body.ReadAsync(buffer, cancellation);
        var first = clock.Elapsed;
        int read;
        while ((read = await body.ReadAsync(buffer, cancellation)) > 0)
        {
            total += read;
        }

        return answer.StatusCode == HttpStatusCode.OK && total == Bytes
            ? first
            : throw new InvalidRunException($"download: {(int)answer.StatusCode}, {total} bytes");
    }

    private static async Task<Transfer> Watched(Server gateway, Func<Task<TimeSpan>> transfer)
    {
        var (before, peak) = (gateway.Mebibytes, 0.0);
        var clock = Stopwatch.StartNew();
        var running = Task.Run(transfer);
        while (!running.IsCompleted)
        {
            peak = Math.Max(peak, gateway.Mebibytes);
            await Task.WhenAny(running, Task.Delay(Look));
        }

        return new(await running, clock.Elapsed, before, Math.Max(peak, gateway.Mebibytes));
    }

    private readonly record struct Transfer(TimeSpan FirstByte, TimeSpan Took, double Before, double Peak);

    /// <summary>Content that is generated while it is sent.</summary>
    private sealed class Zeros : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            var piece = new byte[64 * 1024];
            for (long sent = 0; sent < Bytes; sent += piece.Length)
            {
                await stream.WriteAsync(piece);
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
