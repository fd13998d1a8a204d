using Bff.Concurrency;
using Bff.TestKit;

namespace Bff.Shared.Tests.Concurrency;

public sealed class DeadlineTests
{
    private readonly ManualTimeProvider _clock = new();

    [Fact]
    public void The_remaining_time_shrinks_to_zero()
    {
        var deadline = Deadline.In(TimeSpan.FromSeconds(3), _clock);
        Assert.Equal(TimeSpan.FromSeconds(3), deadline.Left(_clock));

        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(TimeSpan.FromSeconds(1), deadline.Left(_clock));

        _clock.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(TimeSpan.Zero, deadline.Left(_clock));
        Assert.Equal(TimeSpan.Zero, default(Deadline).Left(_clock));
    }

    [Fact]
    public void The_earlier_of_two_deadlines_wins()
    {
        var start = _clock.GetTimestamp();
        var (soon, late) = (Deadline.After(start, TimeSpan.FromSeconds(1), _clock), Deadline.In(TimeSpan.FromSeconds(2), _clock));
        Assert.Equal((soon, soon), (soon.Or(late), late.Or(soon)));
    }
}
