using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Bff.Bench.Soak.Work;

/// <summary>
/// Reads one user's events from any instance, moves to another now and then, and reconnects with the last id whenever the stream ends.
/// </summary>
internal sealed class EventReader(World world, Sender sender, string user, bool signsIn)
{
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private (string Name, string Value)? _credential = signsIn ? null : ("Authorization", "Bearer " + world.Token(user, tenant: "acme"));

    public string User { get; } = user;

    public ConcurrentQueue<(int Number, double At)> Seen { get; } = new();

    /// <summary>Times when the reader was told that events may be missing.</summary>
    public ConcurrentQueue<double> Resets { get; } = new();

    public ConcurrentQueue<double> SignOuts { get; } = new();

    public int Connections { get; private set; }

    /// <summary>Completes once the reader has a position in the log, so that it must receive everything published from then on.</summary>
    public Task Opened => _opened.Task;

    public async Task Run(CancellationToken enough)
    {
        string? last = null;
        while (!enough.IsCancellationRequested)
        {
            if (await Credential() is { } credential && world.Web.Any() is { } instance)
            {
                var (stream, status) = await SseReader.Open(world.Streams, instance.Address, credential, last);
                if (stream is not null)
                {
                    Connections++;
                    using (stream)
                    {
                        await Read(stream, enough);
                        last = stream.LastEventId;
                    }
                }
                else if (status == 401)
                {
                    SignOuts.Enqueue(world.Time.Now);
                    _credential = signsIn ? null : _credential;
                }
            }

            await Pace.Pause(0.1, 0.5);
        }
    }

    public (int ExplainedMissing, int ExplainedRepeats, IReadOnlyList<string> Broken) Verify(IReadOnlyList<Published> published)
    {
        var broken = new List<string>();
        var (missing, repeats) = (0, 0);
        var seen = Seen.ToLookup(s => s.Number, s => s.At);
        foreach (var item in published)
        {
            var times = seen[item.Number].ToList();
            if (times.Count == 1)
            {
                continue;
            }

            var mayBeLost = world.Time.MayBeLost(item.FirstTried, item.Accepted);
            if (times.Count == 0 && (mayBeLost || IsBeforeReset(item)))
            {
                missing++;
            }
            else if (times.Count > 1 && mayBeLost)
            {
                repeats += times.Count - 1;
            }
            else
            {
                broken.Add(
                    $"{User} {item.Number}, accepted at {item.Accepted:F1} s, came {times.Count} times ({string.Join(", ", times.Select(t => $"{t:F1}"))})"
                );
            }
        }

        var order = Seen.ToList();
        broken.AddRange(
            order
                .Zip(order.Skip(1))
                .Where(p => p.Second.Number < p.First.Number && !Explains(p.Second.Number, published))
                .Select(p => $"{User} {p.Second.Number} came after {p.First.Number} at {p.Second.At:F1} s")
        );
        broken.AddRange(
            Resets
                .Where(at => !world.Time.Losses.Any(l => at >= l.LosesFrom && at <= l.LosesTo + 60))
                .Select(at => $"{User} was reset at {at:F1} s without a loss")
        );
        return (missing, repeats, broken);
    }

    private bool Explains(int number, IReadOnlyList<Published> published) =>
        published.FirstOrDefault(p => p.Number == number) is { } item && world.Time.MayBeLost(item.FirstTried, item.Accepted);

    /// <summary>
    /// After a failover the reader is told that events may be missing and goes on from there; events between the failover and that message
    /// may be missing.
    /// </summary>
    private bool IsBeforeReset(Published item) =>
        Resets.Any(at =>
            at >= item.FirstTried && world.Time.Losses.Any(l => item.Accepted >= l.LosesFrom && at >= l.LosesFrom && at <= l.LosesTo + 60)
        );

    private async Task Read(SseReader stream, CancellationToken enough)
    {
        using var move = CancellationTokenSource.CreateLinkedTokenSource(enough);
        move.CancelAfter(TimeSpan.FromSeconds(Random.Shared.Next(15, 60)));
        while (true)
        {
            var next = stream.Next(move.Token);
            if (!_opened.Task.IsCompleted)
            {
                while (stream.LastEventId is null && !next.IsCompleted)
                {
                    await Pace.Pause(0.02);
                }

                _opened.TrySetResult();
            }

            if (await next is not { } item)
            {
                return;
            }

            if (item.Type == "reset")
            {
                Resets.Enqueue(world.Time.Now);
            }
            else if (item.Type == "soak.counted")
            {
                Seen.Enqueue(((int)JsonNode.Parse(item.Data)!["n"]!, world.Time.Now));
            }
        }
    }

    private async Task<(string Name, string Value)?> Credential() =>
        _credential ??= await Browser.SignIn(world, sender, User) is { } browser ? browser.Credential : null;
}
