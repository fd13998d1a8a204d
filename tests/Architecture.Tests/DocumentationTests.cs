using System.Text.RegularExpressions;

namespace Architecture.Tests;

/// <summary>The targets of the pages' links exist.</summary>
public sealed partial class DocumentationTests
{
    public static TheoryData<string> Pages =>
        new(
            Directory
                .EnumerateFiles(Path.Combine(Source.Root, "docs"), "*.md", SearchOption.AllDirectories)
                .Concat(Source.Hosts.Select(h => Path.Combine(Source.Root, "src", h, "CHANGELOG.md")))
                .Append(Path.Combine(Source.Root, "README.md"))
                .Select(f => Path.GetRelativePath(Source.Root, f))
        );

    [Theory]
    [MemberData(nameof(Pages))]
    public void Every_link_leads_to_a_file_and_its_heading(string page)
    {
        var path = Path.Combine(Source.Root, page);
        foreach (Match link in Link().Matches(File.ReadAllText(path)))
        {
            var (file, heading) = (link.Groups[1].Value, link.Groups[2].Value);
            var target = file.Length == 0 ? path : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, file));

            Assert.True(Path.Exists(target), $"{page} points at {file}");
            Assert.True(heading.Length == 0 || Headings(target).Contains(heading), $"{page} points at #{heading} of {file}");
        }
    }

    /// <summary>Each stage of the pipeline is a step of the page.</summary>
    [Fact]
    public void The_life_of_a_request_names_every_middleware_in_its_order()
    {
        var pipeline = File.ReadAllText(Path.Combine(Source.Root, "src/Shared/BffPipeline.cs"));
        var page = File.ReadAllText(Path.Combine(Source.Root, "docs/life-of-a-request.md"));
        var places = Middleware()
            .Matches(pipeline)
            .Select(m => page.IndexOf($"[`{m.Groups[1].Value}`]", StringComparison.Ordinal))
            .ToList();

        Assert.True(places.Count > 10);
        Assert.DoesNotContain(-1, places);
        Assert.Equal(places.Order(), places);
    }

    /// <summary>A newcomer reads these files to understand one request; the page says how many there are.</summary>
    [Fact]
    public void The_life_of_a_request_links_at_most_sixty_files()
    {
        var page = File.ReadAllText(Path.Combine(Source.Root, "docs/life-of-a-request.md"));
        var walk = page[page.IndexOf("## 1. ", StringComparison.Ordinal)..page.IndexOf("## 10. ", StringComparison.Ordinal)];
        var files = Link().Matches(walk).Select(m => m.Groups[1].Value).Where(f => f.StartsWith("../src/", StringComparison.Ordinal));
        var count = files.Distinct().Count();

        Assert.InRange(count, 30, 60);
        Assert.Contains($"Sections 1 to 9 link the {count} files\nof `src`", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_decision_is_listed()
    {
        var list = File.ReadAllText(Path.Combine(Source.Root, "docs/decisions/README.md"));

        Assert.All(
            Directory
                .EnumerateFiles(Path.Combine(Source.Root, "docs/decisions"))
                .Select(f => Path.GetFileName(f)!)
                .Where(f => f != "README.md"),
            page => Assert.Contains($"({page})", list, StringComparison.Ordinal)
        );
    }

    /// <summary>Returns the anchors that GitHub makes of headings.</summary>
    private static IEnumerable<string> Headings(string page) =>
        File.ReadLines(page)
            .Where(l => l.StartsWith('#'))
            .Select(l => NotInAnchors().Replace(l.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-'));

    [GeneratedRegex(@"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"UseMiddleware<(\w+)>")]
    private static partial Regex Middleware();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchors();
}
