using Bff.Configuration;

namespace Architecture.Tests;

/// <summary>A setting that nothing reads is a promise that is not kept.</summary>
public sealed class SettingReadsTests
{
    [Fact]
    public void Every_declared_setting_is_read_by_code_outside_its_declaration()
    {
        var code = SettingReads.Of(Source.Hosts.Prepend("Bff.Shared").SelectMany(a => Source.Load(a).GetTypes()));

        Assert.Empty(
            ConfigurationPage.Types.SelectMany(t => t).SelectMany(Setting.Of).Where(s => !code.Has(s)).Select(s => s.Path).ToList()
        );
    }

    [Fact]
    public void A_setting_that_is_only_declared_bound_and_compared_is_found()
    {
        var code = SettingReads.Of([typeof(Sample), typeof(SampleReader)]);

        Assert.Equal(["Sample:Bound", "Sample:ByHand"], Setting.Of(typeof(Sample)).Where(s => !code.Has(s)).Select(s => s.Path));
    }

    [Settings("Sample")]
    private sealed record Sample
    {
        [Setting]
        public bool Read { get; init; }

        /// <summary>A record reads it to compare and to print itself.</summary>
        [Setting]
        public bool Bound { get; init; }

        [Setting(Range = "by hand")]
        public string? ByHand { get; init; }

        [Setting(Key = "Named:<n>", Range = "by hand")]
        public string? NamedByHand { get; init; }
    }

    private static class SampleReader
    {
        public static string Read(Sample sample) => sample.Read ? "Section:Named" : "Section";
    }
}
