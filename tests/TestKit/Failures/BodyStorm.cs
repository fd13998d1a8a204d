using System.Collections.Concurrent;
using Xunit;

namespace Bff.TestKit.Failures;

/// <summary>
/// Sends bodies from twenty callers in every way in which a client can misbehave, while others read and write at the same services. Nothing
/// changes for the others, and afterwards nothing is left over.
/// </summary>
/// <param name="host">The gateway's address.</param>
/// <param name="services">The gateway's services, whose breakers and places are watched.</param>
/// <param name="sentinel">Checks the answers.</param>
/// <param name="token">Returns the token of the caller with a number.</param>
public sealed class BodyStorm(Uri host, IServiceProvider services, LeakSentinel sentinel, Func<int, string> token)
{
    private const int Callers = 20;
    private const int MaxBytes = 64 * 1024;
    private const long MaxGrowth = 64 * 1024 * 1024;
    private const string Chunked = "Transfer-Encoding: chunked\r\n\r\n";
    private readonly ConcurrentBag<(RawSender Sender, Task<RawResponse> Answer)> _stalled = [];
    private readonly ConcurrentBag<string> _wrong = [];

    /// <summary>
    /// Returns settings with a breaker that opens at one failure among the few calls of half a second and stays open, few places with a
    /// long queue, and plans that accept only small bodies.
    /// </summary>
    /// <param name="plan">The callers' plan.</param>
    /// <param name="upstreams">The upstreams behind endpoints with bodies.</param>
    public static Dictionary<string, string?> Settings(string plan, params IEnumerable<string> upstreams) =>
        new(
            upstreams
                .SelectMany(name => new Dictionary<string, string?>
                {
                    [$"Plans:{plan}:MaxPayloadBytes"] = MaxBytes.ToString(System.Globalization.CultureInfo.InvariantCulture),
                    [$"Upstreams:{name}:Breaker:MinimumThroughput"] = "2",
                    [$"Upstreams:{name}:Breaker:FailureRatio"] = "0.01",
                    // Over a longer time the others' calls, some hundred per second, would outweigh a failure.
                    [$"Upstreams:{name}:Breaker:SamplingDuration"] = "00:00:00.500",
                    [$"Upstreams:{name}:Breaker:BreakDuration"] = "01:00:00",
                    [$"Upstreams:{name}:MaxConcurrency"] = "4",
                    // Some hundred bodies start at the same moment, and each waits for a place after its first bytes.
                    [$"Upstreams:{name}:MaxQueue"] = "10000",
                })
                .DistinctBy(setting => setting.Key)
        );

    /// <summary>Runs the storm, while the others send requests again and again.</summary>
    /// <param name="targets">Method and path of the endpoints with bodies.</param>
    /// <param name="good">A body that all of them accept.</param>
    /// <param name="others">The requests of the others.</param>
    public async Task Rage(
        IReadOnlyList<(string Method, string Path)> targets,
        string good,
        IReadOnlyList<Func<Task<HttpResponseMessage>>> others
    )
    {
        ArgumentNullException.ThrowIfNull(targets);
        ArgumentNullException.ThrowIfNull(others);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        using var over = new CancellationTokenSource();
        var watching = Task.WhenAll(others.Select(ask => Watch(ask, over.Token)));
        try
        {
            await Task.WhenAll(
                Enumerable
                    .Range(0, Callers)
                    .Select(caller =>
                        Task.Run(async () =>
                        {
                            foreach (var (method, path) in targets)
                            {
                                foreach (var key in (string[])["", $"Idempotency-Key: storm-{caller}-{Guid.NewGuid():N}\r\n"])
                                {
                                    await Misbehave(
                                        $"{method} {path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nAuthorization: Bearer {token(caller)}\r\n{key}",
                                        good
                                    );
                                }
                            }
                        })
                    )
            );
            foreach (var ask in others.Concat(others).Concat(others)) // More requests than places, so that a held place would show.
            {
                await Ask(ask);
            }

            await over.CancelAsync();
            await watching;
            await Eventually.True(() => Seen<long>("bff.upstream.places").Count == 0); // Clients that are still sending hold no place.
            foreach (var (_, answer) in _stalled)
            {
                if ((await answer).Status is not (>= 400 and < 500)) // 408, or 400 where a key is required before the body is read.
                {
                    _wrong.Add($"Who stalled was told {(await answer).Status}: {(await answer).Text}");
                }
            }

            Assert.Contains(_stalled, s => s.Answer.Result.Status == 408);
        }
        finally
        {
            await over.CancelAsync();
            await watching;
            foreach (var (sender, _) in _stalled)
            {
                sender.Dispose();
            }
        }

        foreach (var ask in others)
        {
            await Ask(ask);
        }

        Assert.True(_wrong.IsEmpty, string.Join('\n', _wrong.Distinct()));
        Assert.Empty(Seen<int>("bff.upstream.breaker.state"));
        await Eventually.True(() => GC.GetTotalMemory(forceFullCollection: true) - before < MaxGrowth);
    }

    /// <summary>Returns the values of a gauge that are not zero, with their tags.</summary>
    private List<string> Seen<T>(string gauge)
        where T : struct
    {
        var seen = new List<string>();
        using var listener = services.Listen(gauge);
        listener.SetMeasurementEventCallback<T>(
            (_, value, tags, _) =>
            {
                if (!value.Equals(default(T)))
                {
                    seen.Add($"{tags[0].Value} {tags[1].Value}: {value}");
                }
            }
        );
        listener.Start();
        listener.RecordObservableInstruments();
        return seen;
    }

    private async Task Misbehave(string head, string good)
    {
        var half = good[..(good.Length / 2)];
        await Refused("malformed chunk", head + Chunked + "zz\r\n", 400);
        await Refused("malformed second chunk", head + Chunked + $"{half.Length:x}\r\n{half}\r\nzz\r\n", 400);
        await Refused("chunk of gibibytes", head + Chunked + "ffffffff\r\n", 400);
        await Refused("announced too large", head + "Content-Length: 1099511627776\r\n\r\n", 413);
        await Refused("chunk that is too large", head + Chunked + $"{MaxBytes + 1:x}\r\n{new string(' ', MaxBytes + 1)}\r\n0\r\n\r\n", 413);
        await Refused("wrong length, and the end", head + $"Content-Length: {good.Length + 5}\r\n\r\n{good}", 400, ends: true);
        await Refused("breaks off in a chunk", head + Chunked + $"{good.Length:x}\r\n{half}", 400, ends: true);

        // Whatever the result of the good request, what follows it is refused or not read.
        await RawHttp.Send(
            host,
            head.Replace("Idempotency-Key: ", "Idempotency-Key: garbage-", StringComparison.Ordinal)
                + $"Content-Length: {good.Length}\r\n\r\n{good}\r\nGARBAGE \0\r\n\r\n",
            sentinel
        );

        await Stall(head + $"Content-Length: {good.Length}\r\n\r\n{half}");
        await Stall(head + $"Content-Length: {good.Length}\r\n\r\n");
        await Stall(head + Chunked);
        using var reset = await RawSender.Start(host, head + $"Content-Length: {good.Length}\r\n\r\n{half}");
        reset.Reset();
        using var resetAfterHead = await RawSender.Start(host, head + $"Content-Length: {good.Length}\r\n\r\n");
        resetAfterHead.Reset();
    }

    /// <summary>Stops sending until the gateway ends the request, which is below any minimum rate by then.</summary>
    private async Task Stall(string request)
    {
        var sender = await RawSender.Start(host, request);
        _stalled.Add((sender, sender.Answer()));
    }

    private async Task Refused(string name, string request, int status, bool ends = false)
    {
        var answer = await RawHttp.Send(host, request, sentinel, ends);
        if (
            answer.Status != status
            && !(ends && answer.Status == 0) // The server may drop a client that has closed its side.
            && (HasKey(request) || !answer.Text.Contains("idempotency_key_required", StringComparison.Ordinal))
        ) // Also, an endpoint may refuse a body without reading it.
        {
            _wrong.Add($"{request.Split('\r')[0]}, {name}: {answer.Status} {answer.Text}");
        }
    }

    private static bool HasKey(string request) => request.Contains("Idempotency-Key:", StringComparison.Ordinal);

    private async Task Watch(Func<Task<HttpResponseMessage>> ask, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            await Ask(ask);
        }
    }

    private async Task Ask(Func<Task<HttpResponseMessage>> ask)
    {
        using var answer = await ask();
        if (!answer.IsSuccessStatusCode)
        {
            _wrong.Add(
                $"{answer.RequestMessage?.Method} {answer.RequestMessage?.RequestUri?.AbsolutePath} of another: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}"
            );
        }
    }
}
