using System.Reflection;
using System.Text.Json.Serialization.Metadata;
using Bff.Composition;
using Bff.Upstreams;

namespace Bff.Shared.Tests.Composition;

/// <summary>Tests that a required part has a value that is never null, and throws when it is read too early.</summary>
public sealed class RequiredPartTests : IAsyncLifetime
{
    private static readonly JsonTypeInfo<string> Text = ComposerBench.Text;
    private static readonly JsonTypeInfo<int> Number = ComposerBench.TypeOf<int>();
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
    public async Task Required_parts_have_their_values_when_the_answer_is_built()
    {
        RequiredPart<string> order = _composer.Required("order", Answers(Text, "o-1")).Timeout(TimeSpan.FromSeconds(1));
        RequiredValuePart<int> count = _composer.Required("count", order, o => Answers(Number, o.Length)).After(order);
        RequiredWrite<string> placed = _composer
            .Write("placed", order, o => new UpstreamWrite<string>(Answers(Text, o + "!")))
            .After(count);

        Assert.Null(await _composer.Run());

        Assert.Equal(("o-1", 3, "o-1!"), (order.Value, count.Value, placed.Value));
    }

    [Fact]
    public async Task A_part_that_may_be_skipped_has_a_nullable_value()
    {
        ReadPart<string> unwanted = _composer.Required("unwanted", Answers(Text, "u")).OnlyIf(false);
        ReadPart<string> conditional = _composer.Required("conditional", Answers(Text, "c")).After(unwanted, () => true);
        WritePart<string> unsent = _composer.Write("unsent", new UpstreamWrite<string>(Answers(Text, "w"))).OnlyIf(false);

        Assert.Null(await _composer.Run());

        Assert.Equal((null, null, null), (unwanted.Value, conditional.Value, unsent.Value));
    }

    [Fact]
    public async Task Reading_a_missing_value_throws_and_names_the_part()
    {
        var early = _composer.Required("early", Answers(Text, "e"));
        Assert.Contains("'early'", Assert.Throws<InvalidOperationException>(() => early.Value).Message, StringComparison.Ordinal);

        var behind = _composer.Write("behind", early.OnlyIf(false), e => new UpstreamWrite<string>(Answers(Text, e)));
        Assert.Null(await _composer.Run());
        Assert.Contains("'behind'", Assert.Throws<InvalidOperationException>(() => behind.Value).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(typeof(ReadPart<>), typeof(RequiredRead<,>))]
    [InlineData(typeof(WritePart<>), typeof(RequiredWrite<>))]
    public void Every_policy_except_OnlyIf_keeps_a_part_required(Type part, Type required)
    {
        const BindingFlags Own = BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly;
        var policies = part.GetMethods(Own).Where(m => m.ReturnType.Name == part.Name).Select(Named).ToList();
        var kept = required.GetMethods(Own).Where(m => !m.IsSpecialName).Select(Named).ToList();

        Assert.Equal(policies.Where(p => p != "OnlyIf").Order(StringComparer.Ordinal), kept.Order(StringComparer.Ordinal));

        static string Named(MethodInfo method) => method.Name;
    }

    private HandMadeCall<T> Answers<T>(JsonTypeInfo<T> type, T value) => new(_ => new(UpstreamAnswer<T>.Ok(value)), type, _bench.Clock);
}
