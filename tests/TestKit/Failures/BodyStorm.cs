using System.Collections.Concurrent;
using Xunit;

namespace Bff.TestKit.Failures;

/// <summary>
/// Twenty callers send bodies in every way in which a client can misbehave, while others read and write at the same services: for these nothing
/// changes, and when it is over nothing of it is left.
/// </summary>
/// <param name="host">The gateway.</param>
/// <param name="sentinel">Watches the answers.</param>
/// <param name="token">Of the caller of that number.</param>
public sealed class BodyStorm(Uri host, LeakSentinel sentinel, Func<int, string> token)
{
    private const int Callers = 20;
    private const string Chunked = "Transfer-Encoding: chunked\r\n\r\n";
    private readonly ConcurrentBag<RawSender> _stalled = [];
    private readonly ConcurrentBag<string> _wrong = [];

    /// <summary>A breaker that opens at the second failure and stays open, and few places.</summary>
    public static Dictionary<string, string?> Settings(params IEnumerable<string> upstreams) => new(upstreams.SelectMany(name => new Dictionary<string, string?>
    {
        [$"Upstreams:{name}:Breaker:MinimumThroughput"] = "2",
        [$"Upstreams:{name}:Breaker:FailureRatio"] = "0.01",
        [$"Upstreams:{name}:Breaker:BreakDuration"] = "01:00:00",
        [$"Upstreams:{name}:MaxConcurrency"] = "4",
    }));

    /// <summary>Lets it rage, and meanwhile has the others ask again and again.</summary>
    /// <param name="targets">Method and path of what takes a body.</param>
    /// <param name="good">A body that all of them take.</param>
    /// <param name="others">What the others do: a name, and whether it went well.</param>
    public async Task Rage(IReadOnlyList<(string Method, string Path)> targets, string good, IReadOnlyList<Func<Task<HttpResponseMessage>>> others)
    {
        ArgumentNullException.ThrowIfNull(targets);
        ArgumentNullException.ThrowIfNull(others);
        using var over = new CancellationTokenSource();
        var watching = Task.WhenAll(others.Select(ask => Watch(ask, over.Token)));
        try
        {
            await Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
            {
                foreach (var (method, path) in targets)
                {
                    foreach (var key in (string[])["", $"Idempotency-Key: storm-{caller}-{Guid.NewGuid():N}\r\n"])
                    {
                        await Misbehave($"{method} {path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nAuthorization: Bearer {token(caller)}\r\n{key}", good);
                    }
                }
            })));
            foreach (var ask in others.Concat(others).Concat(others)) // More than there are places, were any of them held.
            {
                await Ask(ask);
            }
        }
        finally
        {
            await over.CancelAsync();
            await watching;
            foreach (var sender in _stalled)
            {
                sender.Dispose();
            }
        }

        foreach (var ask in others)
        {
            await Ask(ask);
        }

        Assert.True(_wrong.IsEmpty, string.Join('\n', _wrong.Distinct()));
    }

    private async Task Misbehave(string head, string good)
    {
        var half = good[..(good.Length / 2)];
        await Refused("malformed chunk", head + Chunked + "zz\r\n", 400);
        await Refused("malformed second chunk", head + Chunked + $"{half.Length:x}\r\n{half}\r\nzz\r\n", 400);
        await Refused("chunk of gibibytes", head + Chunked + "ffffffff\r\n", 400);
        await Refused("announced too large", head + "Content-Length: 1099511627776\r\n\r\n", 413);
        await Refused("wrong length, and the end", head + $"Content-Length: {good.Length + 5}\r\n\r\n{good}", 400, ends: true);
        await Refused("breaks off in a chunk", head + Chunked + $"{good.Length:x}\r\n{half}", 400, ends: true);

        // Whatever comes of the good one, what follows it is refused or not heard.
        await RawHttp.Send(host, head.Replace("Idempotency-Key: ", "Idempotency-Key: garbage-", StringComparison.Ordinal) + $"Content-Length: {good.Length}\r\n\r\n{good}\r\nGARBAGE \0\r\n\r\n", sentinel);

        _stalled.Add(await RawSender.Start(host, head + $"Content-Length: {good.Length}\r\n\r\n{half}"));
        _stalled.Add(await RawSender.Start(host, head + Chunked));
        using var reset = await RawSender.Start(host, head + $"Content-Length: {good.Length}\r\n\r\n{half}");
        reset.Reset();
        using var resetAfterHead = await RawSender.Start(host, head + $"Content-Length: {good.Length}\r\n\r\n");
        resetAfterHead.Reset();
    }

    private async Task Refused(string name, string request, int status, bool ends = false)
    {
        var answer = await RawHttp.Send(host, request, sentinel, ends);
        if (answer.Status != status && !(ends && answer.Status == 0)) // The server may let a sender go that has hung up.
        {
            _wrong.Add($"{request.Split('\r')[0]}, {name}: {answer.Status} {answer.Text}");
        }
    }

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
            _wrong.Add($"{answer.RequestMessage?.Method} {answer.RequestMessage?.RequestUri?.AbsolutePath} of another: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        }
    }
}
