using Bff.TestKit;

namespace EndToEnd.Tests.Templates;

/// <summary>Follows docs/adding-a-bff.md: one command makes a fourth gateway, and no existing file changes.</summary>
public sealed class TemplateTests
{
    [Fact]
    public async Task A_new_gateway_builds_composes_and_passes_its_own_tests_without_a_change_of_shared()
    {
        using var clone = new Clone(
            ".github",
            "src/Shared",
            "tests/TestKit",
            "dev/Upstreams",
            "dev/IdentityProvider",
            "contracts",
            "templates"
        );
        var before = Shared(clone);

        var tests = "";
        foreach (var command in Commands())
        {
            tests = await clone.Shell(
                command
                    + command.Split(' ') switch
                    {
                        ["dotnet", "new", ..] => $" --debug:custom-hive {clone.At("hive")}",
                        ["dotnet", "test", ..] => " --nologo -m:2 -nodeReuse:false -p:RunAnalyzers=false",
                        _ => "",
                    }
            );
        }

        Assert.Matches("Failed: +0, Passed: +3, Skipped: +0", tests);
        Assert.Equal(before, Shared(clone));
        Assert.Equal(
            await File.ReadAllTextAsync(clone.At("contracts/baseline/tv.json")),
            await File.ReadAllTextAsync(clone.At("contracts/tv.json"))
        ); // The build writes what the template promises.
        Assert.Empty(
            Clone.Sources(clone.At("src/TvBff")).Where(f => File.ReadAllText(f).Contains("NewBff", StringComparison.Ordinal)).ToList()
        );
    }

    /// <summary>Returns the commands at the head of the page.</summary>
    private static List<string> Commands()
    {
        var commands = File.ReadAllLines(Checkout.At("docs", "adding-a-bff.md"))
            .SkipWhile(l => l != "```")
            .Skip(1)
            .TakeWhile(l => l != "```")
            .ToList();
        Assert.Equal("dotnet new bff -n TvBff", commands[1]);
        Assert.Equal("dotnet test tests/TvBff.Tests", commands[^1]);
        return commands;
    }

    private static SortedDictionary<string, string> Shared(Clone clone) =>
        new(Clone.Sources(clone.At("src/Shared")).ToDictionary(f => f, File.ReadAllText), StringComparer.Ordinal);
}
