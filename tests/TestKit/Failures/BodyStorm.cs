using System.Collections.Concurrent;
using Xunit;

namespace Bff.TestKit.Failures;

/// <summary>
/// Twenty callers send bodies in every way in which a client can misbehave, while others read and write at the same services: for these
/// nothing changes, and when it is over nothing of it is left.
/// </summary>
/// <param name="host">The gateway.</param>
/// <param name="services">The gateway's, whose breakers and places are watched.</param>
/// <param name="sentinel">Watches the answers.</param>
/// <param name="token">Of the caller of that number.</param>
public sealed class BodyStorm(Uri host, IServiceProvider services, LeakSentinel sentinel, Func<int, string> token)
{
    private const int Callers = 20;
    private const int MaxBytes = 64 * 1024;
    private const long MaxGrowth = 64 * 1024 * 1024;
    private const string Chunked = "Transfer-Encoding: chunked\r\n\r\n";
    private readonly ConcurrentBag<(RawSender Sender, Task<RawResponse> Answer)> _stalled = [];
    private readonly ConcurrentBag<string> _wrong = [];

    /// <summary>
    /// A breaker that opens at one failure among the few calls of half a second and stays open, few places with a long queue, and plans that
    /// take small bodies.
    /// </summary>
    /// <param name="plan">The callers'.</param>
    /// <param name="upstreams">Behind what takes a body.</param>
    public static Dictionary<string, string?> Settings(string plan, params IEnumerable<string> upstreams) =>
        new(
            upstreams
                .SelectMany(name => new Dictionary<string, string?>
                {
                    [$"Plans:{plan}:MaxPayloadBytes"] = MaxBytes.ToString(System.Globalization.CultureInfo.InvariantCulture),
                    [$"Upstreams:{name}:Breaker:MinimumThroughput"] = "2",
                    [$"Upstreams:{name}:Breaker:FailureRatio"] = "0.01",
                    // Over a longer time the others' calls, some hundred a second, would outweigh a failure.
                    [$"Upstreams:{name}:Breaker:SamplingDuration"] = "00:00:00.500",
                    [$"Upstreams:{name}:Breaker:BreakDuration"] = "01:00:00",
                    [$"Upstreams:{name}:MaxConcurrency"] = "4",
                    // Some hundred bodies begin at the same moment, and each waits for a place with its beginning.
                    [$"Upstreams:{name}:MaxQueue"] = "10000",
                })
                .DistinctBy(setting => setting.Key)
        );

    /// <summary>Lets it rage, and meanwhile has the others ask again and again.</summary>
    /// <param name="targets">Method and path of what takes a body.</param>
    /// <param name="good">A body that all of them take.</param>
    /// <param name="others">What the others do: a name, and whether it went well.</param>
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
            foreach (var ask in others.Concat(others).Concat(others)) // More than there are places, were any of them held.
            {
                await Ask(ask);
            }

            await over.CancelAsync();
            await watching;
            await Eventually.True(() => Seen<long>("bff.upstream.places").Count == 0); // Clients that still send hold none.
            foreach (var (_, answer) in _stalled)
            {
                if ((await answer).Status is not (>= 400 and < 500)) // 408, unless an endpoint wants a key before it reads a body.
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

    /// <summary>What of a gauge is not zero, and whose it is.</summary>
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

        // Whatever comes of the good one, what follows it is refused or not heard.
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

    /// <summary>Sends no more, until the gateway ends it: it is below any rate then.</summary>
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
            && !(ends && answer.Status == 0) // The server may let a sender go that has hung up.
            && (HasKey(request) || !answer.Text.Contains("idempotency_key_required", StringComparison.Ordinal))
        ) // And an endpoint refuse a body unread.
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
