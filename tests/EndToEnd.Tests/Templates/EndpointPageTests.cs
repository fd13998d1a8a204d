using System.Text.RegularExpressions;
using Bff.TestKit;

namespace EndToEnd.Tests.Templates;

/// <summary>Follows docs/adding-an-endpoint.md word by word.</summary>
public sealed partial class EndpointPageTests
{
    [Fact]
    public async Task Following_the_page_gives_a_composed_endpoint_that_answers()
    {
        using var clone = new Clone(
            "src/Shared",
            "src/MobileBff",
            "tests/TestKit",
            "tests/BrowserKit",
            "tests/MobileBff.Tests",
            "dev/Upstreams",
            "dev/IdentityProvider",
            "contracts"
        );
        var blocks = Blocks(File.ReadAllText(Checkout.At("docs", "adding-an-endpoint.md")));
        foreach (var (_, text) in blocks.Where(b => b.Language == "csharp" && b.Text.StartsWith("// ", StringComparison.Ordinal)))
        {
            var (path, content) = Split(text, "// ");
            Directory.CreateDirectory(Path.GetDirectoryName(clone.At(path))!);
            await File.WriteAllTextAsync(clone.At(path), content);
        }

        foreach (var (_, text) in blocks.Where(b => b.Language == "diff"))
        {
            var (path, lines) = Split(text, "+++ ");
            await File.WriteAllTextAsync(clone.At(path), Apply(path, lines, await File.ReadAllLinesAsync(clone.At(path))));
        }

        var command = Assert.Single(blocks, b => b.Text.StartsWith("dotnet test", StringComparison.Ordinal)).Text.Trim();
        var tests = await clone.Dotnet([.. command.Split(' ')[1..], "--nologo", "-m:2", "-nodeReuse:false", "-p:RunAnalyzers=false"]);

        Assert.Matches("Failed: +0, Passed: +2, Skipped: +0", tests);
        Assert.Contains("\"/loyalty\"", await File.ReadAllTextAsync(clone.At("contracts/mobile.json")), StringComparison.Ordinal);
    }

    /// <summary>The short form says the same as the long one.</summary>
    [Fact]
    public void The_code_of_the_readmes_five_minutes_is_on_the_page()
    {
        var readme = File.ReadAllText(Checkout.At("README.md"));
        var section = readme[readme.IndexOf("## Five minutes", StringComparison.Ordinal)..];
        var page = File.ReadAllLines(Checkout.At("docs", "adding-an-endpoint.md")).Select(l => l.Trim()).ToHashSet();
        var lines = Blocks(section)
            .Where(b => b.Language == "csharp")
            .SelectMany(b => b.Text.Split('\n'))
            .Select(l => l.Trim())
            .Where(l => l.Length > 0)
            .ToList();

        Assert.True(lines.Count > 10);
        Assert.Empty(lines.Where(l => !page.Contains(l)).ToList());
    }

    /// <summary>Inserts each added line below the line that the page shows before it.</summary>
    private static string Apply(string path, string patch, string[] file)
    {
        var lines = file.ToList();
        var at = -1;
        foreach (var line in patch.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line[0] == '+')
            {
                lines.Insert(++at, line[1..]);
                continue;
            }

            at = lines.FindIndex(l => l.Trim() == line.Trim());
            Assert.True(at >= 0, $"{path} has no line '{line.Trim()}'");
        }

        return string.Join('\n', lines) + "\n";
    }

    private static (string Path, string Content) Split(string text, string mark)
    {
        Assert.StartsWith(mark, text, StringComparison.Ordinal);
        var end = text.IndexOf('\n', StringComparison.Ordinal);
        return (text[mark.Length..end].Trim(), text[(end + 1)..]);
    }

    private static List<(string Language, string Text)> Blocks(string page) =>
        [.. Fence().Matches(page).Select(m => (m.Groups["language"].Value, Dedent(m.Groups["text"].Value, m.Groups["indent"].Length)))];

    private static string Dedent(string text, int indent) =>
        string.Join('\n', text.Split('\n').Select(l => l.Length >= indent ? l[indent..] : l.TrimStart()));

    [GeneratedRegex(@"^(?<indent> *)```(?<language>\w*)\n(?<text>.*?)^\k<indent>```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();
}
