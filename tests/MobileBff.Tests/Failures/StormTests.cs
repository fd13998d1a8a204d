using System.Diagnostics;
using System.Globalization;

namespace MobileBff.Tests.Failures;

/// <summary>Repeats must not make a failing service's day worse.</summary>
public sealed class StormTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    private const int Requests = 300;
    private const int AlwaysAllowed = 2; // Further attempts in any 10 s, however few the requests.

    [Fact]
    public async Task While_every_service_fails_none_is_asked_a_quarter_more_often_than_there_are_requests()
    {
        // Without the breaker, so that it is the budget that holds.
        var host = Start(Upstream.All.ToDictionary(s => $"Upstreams:{s.Name}:Breaker:MinimumThroughput", string? (_) => "1000000"));
        foreach (var service in Upstream.All)
        {
            service.Faults.Set(FaultMode.Status);
        }

        var since = Stopwatch.GetTimestamp();
        await Parallel.ForAsync(0, Requests, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, cancellation) =>
        {
            var user = $"u-{1001 + (i % 100)}";
            foreach (var path in (string[])["/home-feed", $"/search?q=shoe{i}", $"/products/p-{i + 1}"])
            {
                using var response = await host.Get(path, user, cancellation);
                Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
            }
        });

        var most = (Requests * 1.25) + (AlwaysAllowed * (1 + Math.Ceiling(Stopwatch.GetElapsedTime(since).TotalSeconds / 10)));
        string[] asked = ["users", "search", "products"];
        Assert.All(Upstream.All, s => Assert.True(s.Calls.Count <= most, string.Create(CultureInfo.InvariantCulture, $"{s.Name}: {s.Calls.Count} calls, {most} at most")));
        Assert.All(asked, name => Assert.True(Upstream[name].Calls.Count > Requests, $"{name} was not repeated at all: {Upstream[name].Calls.Count}"));
    }
}
