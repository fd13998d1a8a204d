using Bff.State;
using Bff.TestKit;

namespace Bff.Shared.Tests.State;

public sealed class StoreCircuitTests
{
    [Fact]
    public void An_answer_to_what_was_asked_before_the_silence_does_not_end_it_however_late_it_is_noticed()
    {
        var clock = new ManualTimeProvider();
        var circuit = new StoreCircuit(TimeSpan.FromMilliseconds(100), clock);
        var before = clock.GetTimestamp();
        clock.Advance(TimeSpan.FromMilliseconds(100));
        Assert.True(circuit.TimedOut());

        Assert.False(circuit.Close(before));
        Assert.True(circuit.IsOpen);

        Assert.True(circuit.Close(clock.GetTimestamp()));
        Assert.False(circuit.IsOpen);
    }

    [Fact]
    public void A_lost_connection_is_not_used_again_before_what_was_asked_since_is_answered()
    {
        var clock = new ManualTimeProvider();
        var circuit = new StoreCircuit(TimeSpan.FromMilliseconds(100), clock);
        var before = clock.GetTimestamp();
        clock.Advance(TimeSpan.FromMilliseconds(1));
        circuit.Open();
        circuit.Answered(); // An operation that had started before.

        Assert.False(circuit.Close(before));
        Assert.True(circuit.IsOpen);
        Assert.True(circuit.Close(clock.GetTimestamp()));
    }
}
