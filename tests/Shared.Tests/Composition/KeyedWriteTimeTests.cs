using Bff.TestKit;
using Microsoft.Extensions.Logging;

namespace Bff.Shared.Tests.Composition;

/// <summary>Tests the warning that a host logs at its start about timeouts that leave no time for retries.</summary>
public sealed class KeyedWriteTimeTests
{
    [Theory]
    [InlineData("00:00:01", "1", "00:00:03", false)]
    [InlineData("00:00:03", "1", "00:00:03", true)]
    [InlineData("00:00:05", "0", "00:00:03", false)]
    [InlineData("00:00:01", "3", "00:00:03", true)]
    [InlineData("00:00:01", "2", "00:00:03", false)]
    public async Task A_timeout_that_leaves_a_keyed_write_no_time_for_its_retries_is_logged(
        string timeout,
        string retries,
        string deadline,
        bool isNamed
    )
    {
        await using var bench = await RecipeBench.Start(
            null,
            ("Upstreams:shop:Timeout", timeout),
            ("Upstreams:shop:Retries", retries),
            ("Composition:Deadline", deadline)
        );

        var said = bench
            .Gateway.Log.Entries.Where(e => e.Level == LogLevel.Warning && e.Message.Contains("keyed write", StringComparison.Ordinal))
            .Select(e => e.Message)
            .ToList();

        Assert.Equal(isNamed ? 1 : 0, said.Count);
        Assert.All(
            said,
            s => Assert.StartsWith($"Upstreams:shop:Timeout ({timeout}) is too long for a keyed write to shop", s, StringComparison.Ordinal)
        );
    }
}
