using System.Collections.Concurrent;
using System.Diagnostics;
using Bff.Dev.Upstreams.Faults;

namespace Bff.TestKit.Failures;

/// <summary>Checks clients that disconnect, and the failure of everything at once.</summary>
public sealed partial class FailureMatrix
{
    /// <summary>
    /// Disconnects from every endpoint while its services hang: first those of parts without dependencies, then those of parts that wait
    /// for others. Returns the calls that did not end with the request, and the number of cases.
    /// </summary>
    public async Task<(IReadOnlyList<string> Wrong, int Cases)> RunLeaving()
    {
        var cases = (
            from row in rows
            from isLate in (bool[])[false, true]
            let asked = row.Parts.Where(p => p.After is not null == isLate).Select(p => p.Upstream).Distinct().ToList()
            where asked.Count > 0
            select (row, asked)
        ).ToList();
        var (wrong, waiting) = (new ConcurrentQueue<string>(), new ConcurrentQueue<(FailureRow Row, List<string> Asked)>(cases));
        await Task.WhenAll(
            lanes.Select(async lane =>
            {
                while (waiting.TryDequeue(out var next))
                {
                    await Leave(next.Row, next.Asked, lane, wrong);
                }
            })
        );
        return ([.. wrong], cases.Count);
    }

    /// <summary>
    /// Calls every endpoint many times while every service fails. Returns the services that were called over a quarter more often than
    /// there were requests for them (and two retries in any 10 s, which the budget always allows), and the number of retries.
    /// </summary>
    public async Task<(IReadOnlyList<string> Wrong, int Repeats)> RunStorm(int rounds)
    {
        foreach (var service in services.All)
        {
            service.Calls.Clear();
            service.Faults.Set(FaultMode.Status);
        }

        var since = Stopwatch.GetTimestamp();
        await Task.WhenAll(
            lanes.Select(async lane =>
            {
                foreach (var row in Enumerable.Range(0, rounds).SelectMany(_ => rows))
                {
                    using var answer = await client.SendAsync(Prepare(row, lane).Request);
                }
            })
        );

        var always = 2 * (1 + Math.Ceiling(Stopwatch.GetElapsedTime(since).TotalSeconds / 10));
        var (wrong, repeats) = (new List<string>(), 0);
        foreach (var service in services.All)
        {
            service.Faults.Heal();
            var (asked, wanted) = (
                service.Calls.Count,
                rounds * lanes.Count * rows.Sum(r => r.Parts.Count(p => p.After is null && p.Upstream == service.Name))
            );
            repeats += service.Calls.All.CountBy(c => (c.Header("X-Request-Id"), c.Method, c.Path)).Sum(c => c.Value - 1);
            if (asked > (wanted * 1.25) + always)
            {
                wrong.Add($"{service.Name} was asked {asked} times for {wanted} requests");
            }
        }

        return (wrong, repeats);
    }

    private async Task Leave(FailureRow row, List<string> asked, FailureLane lane, ConcurrentQueue<string> wrong)
    {
        var (request, id) = Prepare(row, lane);
        asked.ForEach(name => services[name].Faults.Set(new Fault { Mode = FaultMode.Hang, RequestId = id }));
        try
        {
            using var leaving = new CancellationTokenSource();
            var since = Stopwatch.GetTimestamp();
            var answer = client.SendAsync(request, leaving.Token);
            var calls = await Task.WhenAll(asked.Select(name => services[name].Calls.FirstAsync(c => c.Header("X-Request-Id") == id)))
                .WaitAsync(Deadline);
            await leaving.CancelAsync();
            foreach (var call in calls)
            {
                // Earlier than a timeout, which started later, could have ended it.
                var left = Timeout - Stopwatch.GetElapsedTime(since);
                if (!await call.Ended.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero))
                {
                    wrong.Enqueue($"{row}: {call.Service} was answered for");
                }
            }

            await ((Task)answer).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (TimeoutException)
        {
            wrong.Enqueue(
                $"{row}: not all of {string.Join(',', asked)} were asked, or they went on: {string.Join(',', asked.Select(a => CallsOf(a, id).Count))}"
            );
        }
        finally
        {
            asked.ForEach(name => services[name].Faults.Set(new Fault { RequestId = id }));
        }
    }
}
