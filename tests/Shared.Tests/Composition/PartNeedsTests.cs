using System.Text.Json.Serialization.Metadata;
using Bff.Caching;
using Bff.Composition;
using Bff.Requests;
using Bff.Upstreams;
using static Bff.Composition.Durations;

namespace Bff.Shared.Tests.Composition;

/// <summary>Tests how a part depends on other parts, and what happens to it when they have no value.</summary>
public sealed class PartNeedsTests : IAsyncLifetime
{
    private static readonly JsonTypeInfo<string> Text = ComposerBench.Text;
    private ComposerBench _bench = null!;
    private Composer _composer = null!;

    public async Task InitializeAsync()
    {
        _bench = await ComposerBench.Start();
        _composer = await _bench.NewComposer();
    }

    public async Task DisposeAsync()
    {
        _composer.Dispose();
        await _bench.DisposeAsync();
    }

    [Fact]
    public async Task A_condition_holds_in_combination_with_other_policies_of_the_part()
    {
        var order = _composer.Required("order", Answers());
        var unwanted = _composer.Optional("unwanted", Answers()).After(order, () => false).OnlyIf(true);
        var wanted = _composer.Optional("wanted", Answers()).OnlyIf(true).After(order, () => true);

        Assert.Null(await _composer.Run());

        Assert.Equal((PartStatus.Skipped, PartStatus.Live), (unwanted.Status, wanted.Status));
    }

    [Fact]
    public async Task A_part_waits_for_every_part_that_it_depends_on()
    {
        var release = new TaskCompletionSource();
        var first = _composer.Optional(
            "first",
            new HandMadeCall<string>(
                async _ =>
                {
                    await release.Task;
                    return UpstreamAnswer<string>.Ok("1");
                },
                Text,
                _bench.Clock
            )
        );
        var second = _composer.Optional("second", Answers());
        var sawFirst = false;
        var both = _composer
            .Optional("both", Answers())
            .After(first, () => sawFirst = first.HasValue && second.HasValue)
            .After(second, () => true);

        var running = _composer.Run();
        release.SetResult();
        await running;

        Assert.True(sawFirst);
        Assert.Equal(PartStatus.Live, both.Status);
    }

    [Theory]
    [InlineData(UpstreamOutcome.Timeout, 504)]
    [InlineData(UpstreamOutcome.Failed, 502)]
    [InlineData(UpstreamOutcome.Unavailable, 503)]
    [InlineData(UpstreamOutcome.NotFound, 404)]
    public async Task A_required_part_fails_with_the_part_that_it_depends_on(UpstreamOutcome outcome, int status)
    {
        var first = _composer.Optional("first", Fails(outcome));
        var between = _composer.Optional("between", first, _ => Answers());
        _composer.Required("second", Answers()).After(outcome == UpstreamOutcome.NotFound ? first : between);

        var problem = await _composer.Run();

        Assert.Equal(status, problem?.Code.Status);
        Assert.Equal(outcome == UpstreamOutcome.NotFound ? null : "first", problem!.Section);
    }

    [Theory]
    [InlineData(UpstreamOutcome.Timeout, PartStatus.Timeout)]
    [InlineData(UpstreamOutcome.Failed, PartStatus.Failed)]
    [InlineData(UpstreamOutcome.NotFound, PartStatus.Skipped)]
    public async Task An_optional_part_is_degraded_with_the_part_that_it_depends_on(UpstreamOutcome outcome, PartStatus status)
    {
        var first = _composer.Optional("first", Fails(outcome));
        var second = _composer.Optional("second", first, _ => Answers());
        var replaced = _composer.Optional("replaced", first, _ => Answers()).Fallback(() => "stand-in");

        Assert.Null(await _composer.Run());

        Assert.Equal(status, second.Status);
        Assert.Equal(status == PartStatus.Skipped ? PartStatus.Skipped : PartStatus.Fallback, replaced.Status);
    }

    [Fact]
    public async Task A_projection_that_throws_fails_its_part_and_nothing_is_cached()
    {
        var poisoned = _composer
            .Optional("poisoned", Answers().As<string>(_ => throw new InvalidOperationException("as told"), Text))
            .Cached(CacheScope.Public, "poisoned", fresh: Seconds(60), stale: Minutes(10));

        Assert.Null(await _composer.Run());

        Assert.Equal(PartStatus.Failed, poisoned.Status);
        var request = new FragmentRequest<string>(
            "poisoned",
            CacheScope.Public,
            Caller.Anonymous,
            TimeSpan.FromSeconds(60),
            TimeSpan.FromSeconds(600),
            ["poisoned"],
            Text
        );
        Assert.False(_bench.Cache.TryGet(request, out _));
    }

    private HandMadeCall<string> Answers() => new(static _ => new(UpstreamAnswer<string>.Ok("value")), Text, _bench.Clock);

    private HandMadeCall<string> Fails(UpstreamOutcome outcome) => new(_ => new(UpstreamAnswer<string>.No(outcome)), Text, _bench.Clock);
}
