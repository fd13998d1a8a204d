using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Bff.Dev.Upstreams;
using Bff.Dev.Upstreams.Calls;
using Bff.Dev.Upstreams.Faults;
using Microsoft.Extensions.Logging;

namespace Bff.TestKit.Failures;

/// <summary>
/// Every part of every endpoint × a way to fail: makes the service fail for one request only (by its request id), sends it, and compares
/// the answer with the specification. Cases run in parallel lanes.
/// </summary>
/// <param name="services">The sample services beyond the gateway.</param>
/// <param name="client">A client of the gateway.</param>
/// <param name="rows">The host's endpoints.</param>
/// <param name="lanes">The lanes; each runs its cases one after another.</param>
/// <param name="statusOf">Reads a part's status from an answer; null if all is well and the answer does not state it.</param>
public sealed partial class FailureMatrix(
    SampleServices services,
    HttpClient client,
    IReadOnlyList<FailureRow> rows,
    IReadOnlyList<FailureLane> lanes,
    Func<JsonObject, string, string?> statusOf
)
{
    /// <summary>
    /// Timeout of an attempt and of a part: long enough for a healthy service on a busy machine whose threads stall for a second or two.
    /// </summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(4);

    /// <summary>Deadline of a request, which takes at most two attempts.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(16);

    /// <summary>The host's endpoints.</summary>
    public IReadOnlyList<FailureRow> Rows => rows;

    private readonly LeakSentinel _leaks = new();
    private int _cases;

    /// <summary>Returns the host's settings: short timeouts, no caching, and a breaker that no case opens for another.</summary>
    public static Dictionary<string, string?> Settings(SampleServices services, IEnumerable<string> parts)
    {
        var settings = new Dictionary<string, string?>(StringComparer.OrdinalIgnoreCase)
        {
            ["Composition:Deadline"] = Deadline.ToString("c"),
            ["Identity:SignedAssertion"] = "true",
        };
        foreach (var service in services.All)
        {
            settings[$"Upstreams:{service.Name}:Timeout"] = Timeout.ToString("c");
            settings[$"Upstreams:{service.Name}:MaxResponseBytes"] = "2097152";
            settings[$"Upstreams:{service.Name}:Breaker:MinimumThroughput"] = "1000000";
        }

        foreach (var part in parts)
        {
            settings[$"Composition:{part}:Timeout"] = Timeout.ToString("c");
            settings[$"Composition:{part}:Fresh"] = "00:00:00";
            settings[$"Composition:{part}:Stale"] = "00:00:00";
        }

        return settings;
    }

    /// <summary>Calls every endpoint while all is well: it must succeed, and call exactly the services that the table names.</summary>
    public async Task<IReadOnlyList<string>> RunHealthy()
    {
        client.Timeout = TimeSpan.FromSeconds(60);
        using var direct = new HttpClient();
        foreach (var size in (string[])["large", "thumb"])
        {
            // The service draws an image when it is first requested, which takes longer than a timeout on a busy machine.
            await direct.GetByteArrayAsync(new Uri(services.Media.Address, $"media/{size}/p-1.jpg"));
        }

        var wrong = new List<string>();
        foreach (var row in rows)
        {
            var (request, id) = Prepare(row, lanes[0]);
            using var answer = await client.SendAsync(request);
            var called = services.All.Where(s => CallsOf(s.Name, id).Count > 0).Select(s => s.Name).Order().ToList();
            var expected = row.Parts.Select(p => p.Upstream).Distinct().Order().ToList();
            if (!answer.IsSuccessStatusCode || !called.SequenceEqual(expected))
            {
                wrong.Add(
                    $"{row}: {(int)answer.StatusCode}, asked {string.Join(',', called)} instead of {string.Join(',', expected)}: {await answer.Content.ReadAsStringAsync()}"
                );
            }
        }

        return wrong;
    }

    /// <summary>Runs every case of a way to fail; returns deviations from the specification, and the number of cases.</summary>
    public async Task<(IReadOnlyList<string> Wrong, int Cases)> Run(FailureWay way)
    {
        var cases = new List<(FailureRow Row, FailurePart Part)>(
            from row in rows
            from part in row.Parts
            where way.Only is null || way.Only == part.Upstream
            select (row, part)
        );

        // A reset ends every stream of an HTTP/2 connection, including those of other cases.
        var apart = cases.Where(c => IsApart(way, c.Part)).ToList();
        var wrong = new ConcurrentQueue<string>();
        _cases = 0;
        foreach (var service in services.All)
        {
            service.Calls.Clear();
        }

        // Writes run first, with a full retry budget; otherwise none would be repeated, whether it may be or not.
        await FillBudget();
        await RunBeside(way, cases.Where(c => c.Row.Sending != Sending.Read), wrong);
        await RunBeside(way, cases.Where(c => c.Row.Sending == Sending.Read && !IsApart(way, c.Part)), wrong);
        foreach (var (row, part) in apart)
        {
            await Check(way, row, part, lanes[0], wrong);
        }

        return ([.. wrong, .. _leaks.Leaks], _cases);
    }

    private Task FillBudget() =>
        Task.WhenAll(
            lanes.Select(async lane =>
            {
                for (var i = 0; i < 5; i++)
                {
                    using var answer = await client.SendAsync(Prepare(rows[0], lane).Request);
                }
            })
        );

    private Task RunBeside(FailureWay way, IEnumerable<(FailureRow Row, FailurePart Part)> cases, ConcurrentQueue<string> wrong)
    {
        // Creating bodies of 8 MiB takes the machine's time from the other cases.
        var side = way.Fault.Mode == FaultMode.Oversize ? lanes.Take(3) : lanes;
        var waiting = new ConcurrentQueue<(FailureRow Row, FailurePart Part)>(cases);
        return Task.WhenAll(
            side.Select(async lane =>
            {
                while (waiting.TryDequeue(out var next))
                {
                    await Check(way, next.Row, next.Part, lane, wrong);
                }
            })
        );
    }

    private static bool IsApart(FailureWay way, FailurePart part) =>
        part.Upstream == "catalog" && way.Fault.Mode is (FaultMode.Reset or FaultMode.ResetMidBody);

    private async Task Check(FailureWay way, FailureRow row, FailurePart part, FailureLane lane, ConcurrentQueue<string> wrong)
    {
        Interlocked.Increment(ref _cases);
        var (request, id) = Prepare(row, lane);
        var faults = services[part.Upstream].Faults;
        faults.Set(way.Fault with { RequestId = id });
        var says = new List<string>();
        try
        {
            var since = Stopwatch.GetTimestamp();
            await new FailureVerdict(row, part, way, id, statusOf, _leaks, says).Judge(client, request);
            var took = Stopwatch.GetElapsedTime(since);
            if (took > Deadline)
            {
                says.Add($"took {took}");
            }

            CheckCalls(way, row, part, id, says);
        }
#pragma warning disable CA1031 // An exception in a case is a finding like any other.
        catch (Exception broken)
#pragma warning restore CA1031
        {
            says.Add(broken.ToString());
        }
        finally
        {
            faults.Set(new Fault { RequestId = id });
        }

        foreach (var find in says)
        {
            wrong.Enqueue($"{row} / {part.Name} / {way}: {find}");
        }
    }

    private void CheckCalls(FailureWay way, FailureRow row, FailurePart part, string id, List<string> says)
    {
        var calls = CallsOf(part.Upstream, id);
        var keys = calls.Select(c => c.Header("Idempotency-Key")).Distinct().ToList();
        var (most, isKeyed) = row.Sending switch
        {
            Sending.Once => (1, false),
            Sending.UnderOneKey => (2, true),
            _ => (2 * row.Parts.Count(p => p.Upstream == part.Upstream), false),
        };
        if (calls.Count < 1 || calls.Count > most)
        {
            says.Add($"{calls.Count} calls reached {part.Upstream}, at most {most} may");
        }

        if (isKeyed && way.Fault is { Mode: FaultMode.Status, Status: 500 } && calls.Count != 2)
        {
            says.Add("the keyed write was not repeated, so the budget proves nothing about those without a key");
        }

        if (keys.Count != 1 || (keys[0] is not null) != isKeyed)
        {
            says.Add($"keys at {part.Upstream}: {string.Join(", ", keys.Select(k => k ?? "none"))}");
        }

        // A part that depends on a missing one is not called.
        foreach (var dependent in row.Parts.Where(p => p.After == part.Name && p.Upstream != part.Upstream && !part.HasStandIn))
        {
            if (CallsOf(dependent.Upstream, id).Count > 0)
            {
                says.Add($"{dependent.Upstream} was asked for {dependent.Name} without {part.Name}");
            }
        }
    }

    private IReadOnlyList<RecordedCall> CallsOf(string service, string id) =>
        [.. services[service].Calls.All.Where(c => c.Header("X-Request-Id") == id)];

    private static (HttpRequestMessage Request, string Id) Prepare(FailureRow row, FailureLane lane)
    {
        var request = row.Ask(lane);
        var id = Guid.NewGuid().ToString("N");
        request.Headers.Add("X-Request-Id", id);
        if (row.Sending == Sending.UnderOneKey)
        {
            request.Headers.Add("Idempotency-Key", Guid.NewGuid().ToString("N"));
        }

        return (request, id);
    }

    /// <summary>Returns the errors in a log; a service's failure is not an error of the gateway.</summary>
    public static IReadOnlyList<string> ErrorsIn(LogRecorder log) =>
        [.. log.Entries.Where(e => e.Level >= LogLevel.Error).Select(e => $"{e.Category}: {e.Message} {e.Exception}")];
}
