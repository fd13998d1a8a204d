using Bff.Admission;

namespace Bff.Shared.Tests.Admission;

public sealed class AdaptiveLimitTests
{
    private const int Floor = 20;
    private const int Ceiling = 200;
    private readonly AdaptiveLimit _limit = new(Floor, Ceiling);
    private long _now = TimeSpan.TicksPerSecond;

    [Fact]
    public void The_limit_starts_at_the_ceiling_and_stays_there_while_latency_is_normal()
    {
        Seconds(30, milliseconds: 10, busy: Ceiling);
        Assert.Equal(Ceiling, _limit.Current);
    }

    [Fact]
    public void The_limit_shrinks_when_latency_rises_far_above_normal_but_never_below_the_floor()
    {
        Seconds(30, milliseconds: 10, busy: Ceiling);
        Seconds(5, milliseconds: 200, busy: Ceiling);
        Assert.InRange(_limit.Current, Floor, Ceiling * 3 / 4);

        for (var i = 0; i < 100; i++)
        {
            Seconds(1, milliseconds: 200 << Math.Min(i, 12), busy: Ceiling);
            Assert.InRange(_limit.Current, Floor, Ceiling);
        }
    }

    [Fact]
    public void The_limit_grows_back_when_latency_is_normal_again()
    {
        Seconds(30, milliseconds: 10, busy: Ceiling);
        Seconds(10, milliseconds: 400, busy: Ceiling);
        Assert.True(_limit.Current < Ceiling);

        Seconds(120, milliseconds: 10, busy: Ceiling);

        Assert.Equal(Ceiling, _limit.Current);
    }

    [Fact]
    public void A_slow_service_behind_a_quiet_host_changes_nothing()
    {
        Seconds(30, milliseconds: 10, busy: 5);
        Seconds(30, milliseconds: 3000, busy: 5);
        Assert.Equal(Ceiling, _limit.Current);
    }

    private void Seconds(int seconds, int milliseconds, int busy)
    {
        for (var i = 0; i < seconds * 20; i++)
        {
            _now += TimeSpan.TicksPerSecond / 20;
            _limit.Sample(milliseconds * TimeSpan.TicksPerMillisecond, busy, _now);
        }
    }
}
