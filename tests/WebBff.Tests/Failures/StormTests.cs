namespace WebBff.Tests.Failures;

/// <summary>On a host of its own: the retry budget looks back ten seconds, in which nobody else may have asked.</summary>
public sealed class StormTests(FailureMatrixTests.Stage stage) : IClassFixture<FailureMatrixTests.Stage>
{
    /// <summary>The host's breaker never opens, so that it is the retry budget that holds.</summary>
    [Fact]
    public async Task While_every_service_fails_none_is_asked_a_quarter_more_often_than_there_are_requests()
    {
        var (wrong, repeats) = await stage.Matrix.RunStorm(rounds: 6);

        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));
        Assert.True(repeats > stage.Rows.Count, $"only {repeats} were repeated");
    }
}
