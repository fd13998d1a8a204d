using System.Diagnostics;

namespace EndToEnd.Tests.Templates;

/// <summary>What docs/adding-a-bff.md says: a fourth gateway is made by one command, and nothing that is there changes for it.</summary>
public sealed class TemplateTests
{
    [Fact]
    public async Task A_new_gateway_builds_composes_and_passes_its_own_tests_in_under_five_minutes_without_a_change_of_shared()
    {
        using var clone = new Clone("src/Shared", "tests/TestKit", "dev/Upstreams", "dev/IdentityProvider", "contracts", "templates");
        var before = Shared(clone);
        var taken = Stopwatch.StartNew();

        await clone.Dotnet("new", "install", "templates/bff", "--debug:custom-hive", clone.At("hive"));
        await clone.Dotnet("new", "bff", "-n", "TvBff", "--debug:custom-hive", clone.At("hive"));
        await clone.Dotnet("sln", "Bff.sln", "add", "src/TvBff", "tests/TvBff.Tests");
        var tests = await clone.Dotnet("test", "tests/TvBff.Tests", "--nologo", "-m:2", "-nodeReuse:false", "-p:RunAnalyzers=false");

        Assert.InRange(taken.Elapsed, TimeSpan.Zero, TimeSpan.FromMinutes(5));
        Assert.Matches("Failed: +0, Passed: +3, Skipped: +0", tests);
        Assert.Equal(before, Shared(clone));
        Assert.Empty(Clone.Sources(clone.At("src/TvBff")).Where(f => File.ReadAllText(f).Contains("NewBff", StringComparison.Ordinal)).ToList());
    }

    private static SortedDictionary<string, string> Shared(Clone clone) => new(
        Clone.Sources(clone.At("src/Shared")).ToDictionary(f => f, File.ReadAllText), StringComparer.Ordinal);
}
