using System.Text.Json;
using System.Text.RegularExpressions;
using Architecture.Tests.Deploy;

namespace Architecture.Tests.Delivery;

/// <summary>Each team builds, tests, versions and ships its host alone; filters, workflows and owners agree with the projects.</summary>
public sealed partial class IndependenceTests
{
    public static TheoryData<string, string> Hosts => Source.Teams;

    [Theory]
    [MemberData(nameof(Hosts))]
    public void A_solution_filter_holds_the_projects_of_the_host_and_its_tests(string host, string workflow)
    {
        using var filter = JsonDocument.Parse(File.ReadAllText(Path.Combine(Source.Root, host + ".slnf")));
        var projects = filter
            .RootElement.GetProperty("solution")
            .GetProperty("projects")
            .EnumerateArray()
            .Select(p => p.GetString()!)
            .Order(StringComparer.Ordinal);

        Assert.Equal(MadeOf(host), projects);
        Assert.NotNull(workflow);
    }

    [Theory]
    [MemberData(nameof(Hosts))]
    public void A_workflow_starts_for_changes_of_its_host_and_tests_and_for_no_other_host(string host, string workflow)
    {
        var on = Yaml.Read($".github/workflows/{workflow}.yml")[0]["on"];
        var push = Paths(on["push"]);
        var folders = MadeOf(host).Select(p => Path.GetDirectoryName(p) + "/**").ToList();

        Assert.Equal(
            folders.Order(StringComparer.Ordinal),
            push.Where(p => p.EndsWith("/**", StringComparison.Ordinal)).Order(StringComparer.Ordinal)
        );
        Assert.Equal(push, Paths(on["pull_request"]));
        Assert.Superset(
            new HashSet<string>
            {
                ".dockerignore",
                "global.json",
                "Directory.*.props",
                "src/Directory.Build.targets",
                $"{host}.slnf",
                $"contracts/{workflow}*.json",
                $".github/workflows/{workflow}.yml",
            },
            push.ToHashSet()
        );
    }

    [Theory]
    [MemberData(nameof(Hosts))]
    public void A_workflow_builds_tests_and_packs_its_own_host(string host, string workflow)
    {
        var jobs = Yaml.Read($".github/workflows/{workflow}.yml")[0]["jobs"];
        var commands = jobs["build.steps"].Items.Select(s => s["run"].Text).ToList();

        Assert.Contains(commands, c => c.StartsWith($"dotnet build {host}.slnf", StringComparison.Ordinal));
        Assert.Contains(commands, c => c.StartsWith($"dotnet test {host}.slnf", StringComparison.Ordinal));
        Assert.Contains(commands, c => c.EndsWith($"{host}.dll --check-settings", StringComparison.Ordinal));
        Assert.Contains(jobs["image.steps"].Items, s => s["with.file"].Text == $"src/{host}/Dockerfile");
        Assert.Equal("build", jobs["image.needs"].Text);
    }

    [Theory]
    [MemberData(nameof(Hosts))]
    public void A_host_has_a_version_of_its_own_and_says_what_is_in_it(string host, string workflow)
    {
        var version = Version().Match(File.ReadAllText(Path.Combine(Source.Root, "src", host, host + ".csproj"))).Groups[1].Value;
        var latest = Heading().Match(File.ReadAllText(Path.Combine(Source.Root, "src", host, "CHANGELOG.md"))).Groups[1].Value;

        Assert.NotEmpty(version);
        Assert.Equal(version, latest);
        Assert.NotNull(workflow);
    }

    [Fact]
    public void Every_folder_has_an_owner_and_every_owned_path_exists()
    {
        var owned = File.ReadAllLines(Path.Combine(Source.Root, ".github/CODEOWNERS"))
            .Where(l => l.StartsWith('/'))
            .Select(l => l.Split(' ')[0])
            .ToList();
        var folders = ((string[])["src", "tests"])
            .SelectMany(f => Directory.EnumerateDirectories(Path.Combine(Source.Root, f)))
            .Where(d => Directory.EnumerateFiles(d, "*.csproj").Any())
            .Select(d => $"/{Path.GetRelativePath(Source.Root, d)}/");

        Assert.Empty(folders.Except(owned));
        Assert.Empty(
            owned.Where(o => !o.Contains('*', StringComparison.Ordinal) && !Path.Exists(Path.Combine(Source.Root, o.Trim('/')))).ToList()
        );
    }

    /// <summary>Returns the host, its tests, Shared's tests, and all projects that these reference.</summary>
    private static SortedSet<string> MadeOf(string host)
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        var open = new Stack<string>([
            $"src/{host}/{host}.csproj",
            $"tests/{host}.Tests/{host}.Tests.csproj",
            "tests/Shared.Tests/Bff.Shared.Tests.csproj",
        ]);
        while (open.TryPop(out var project))
        {
            if (found.Add(project))
            {
                var path = Path.Combine(Source.Root, project);
                foreach (Match reference in Reference().Matches(File.ReadAllText(path)))
                {
                    open.Push(
                        Path.GetRelativePath(
                            Source.Root,
                            Path.GetFullPath(Path.Combine(Path.GetDirectoryName(path)!, reference.Groups[1].Value))
                        )
                    );
                }
            }
        }

        return found;
    }

    private static List<string> Paths(Yaml trigger) => [.. trigger["paths"].Items.Select(p => p.Text)];

    [GeneratedRegex("<ProjectReference Include=\"([^\"]+)\"")]
    private static partial Regex Reference();

    [GeneratedRegex("<VersionPrefix>([^<]+)<")]
    private static partial Regex Version();

    [GeneratedRegex(@"^## (\d+\.\d+\.\d+)", RegexOptions.Multiline)]
    private static partial Regex Heading();
}
