using Xunit;

namespace Bff.TestKit.Failures;

/// <summary>Tests that apply to every host's table in the same way.</summary>
public abstract class LeavingSuite(FailureMatrix matrix)
{
    [Fact]
    public async Task When_the_client_goes_away_every_call_of_every_endpoint_is_aborted()
    {
        var (wrong, cases) = await matrix.RunLeaving();

        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
        Assert.True(cases >= matrix.Rows.Count);
    }
}

/// <summary>Needs a host of its own: the retry budget looks back ten seconds, in which nobody else may have sent requests.</summary>
public abstract class StormSuite(FailureMatrix matrix)
{
    /// <summary>The host's breaker never opens, so that the retry budget is what limits the calls.</summary>
    [Fact]
    public async Task While_every_service_fails_none_is_asked_a_quarter_more_often_than_there_are_requests()
    {
        var (wrong, repeats) = await matrix.RunStorm(rounds: 6);

        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
        Assert.True(repeats > matrix.Rows.Count, $"only {repeats} were repeated");
    }
}
