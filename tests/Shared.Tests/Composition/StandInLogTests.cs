using Bff.Composition;
using Bff.TestKit;
using Microsoft.Extensions.Logging;

namespace Bff.Shared.Tests.Composition;

/// <summary>Tests that a stale or fallback value is logged once, not with every request.</summary>
public sealed class StandInLogTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly LogRecorder _log = new();

    public void Dispose() => _log.Dispose();

    [Theory]
    [InlineData("stale", "StaleServed")]
    [InlineData("fallback", "FallbackUsed")]
    public void A_stand_in_is_logged_when_it_starts_and_again_after_a_minute_without_one(string status, string name)
    {
        var standIn = Enum.Parse<PartStatus>(status, ignoreCase: true);
        var standInLog = new StandInLog(_log.CreateLogger("composition"), _time);
        for (var i = 0; i < 100; i++)
        {
            standInLog.Served("home-feed", "orders", standIn);
            _time.Advance(TimeSpan.FromSeconds(2)); // The condition never pauses for a minute.
        }

        Assert.Equal([name], Names);

        _time.Advance(TimeSpan.FromMinutes(1));
        standInLog.Served("home-feed", "orders", standIn);
        standInLog.Served("home-feed", "picks", standIn);

        Assert.Equal([name, name, name], Names);
    }

    [Theory]
    [InlineData("live")]
    [InlineData("cached")]
    [InlineData("failed")]
    public void A_value_that_is_no_stand_in_is_not_logged(string status)
    {
        new StandInLog(_log.CreateLogger("composition"), _time).Served(
            "home-feed",
            "orders",
            Enum.Parse<PartStatus>(status, ignoreCase: true)
        );

        Assert.Empty(_log.Entries);
    }

    private IEnumerable<string?> Names => _log.Entries.Select(e => e.Event.Name);
}
