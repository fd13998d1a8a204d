using Bff.TestKit;
using Bff.Upstreams;

namespace Bff.Shared.Tests.Upstreams;

public sealed class RetryBudgetTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Two_attempts_in_ten_seconds_are_always_allowed()
    {
        var budget = new RetryBudget(_time);
        budget.Request();

        Assert.Equal([true, true, false], Take(budget, 3));
    }

    [Fact]
    public void A_fifth_of_recent_requests_may_be_repeated()
    {
        var budget = new RetryBudget(_time);
        for (var i = 0; i < 100; i++)
        {
            budget.Request();
        }

        Assert.Equal(20, Take(budget, 100).Count(taken => taken));
    }

    [Fact]
    public void Attempts_older_than_ten_seconds_no_longer_count()
    {
        var budget = new RetryBudget(_time);
        for (var i = 0; i < 100; i++)
        {
            budget.Request();
        }

        Take(budget, 20);
        _time.Advance(TimeSpan.FromSeconds(11));

        Assert.Equal([true, true, false], Take(budget, 3));
    }

    private static List<bool> Take(RetryBudget budget, int times) => [.. Enumerable.Range(0, times).Select(_ => budget.TryTake())];
}
