using System.Text.RegularExpressions;
using Architecture.Tests.Deploy;

namespace Architecture.Tests.Delivery;

/// <summary>
/// A workflow that runs for a change has only the rights that it needs, so a malicious package reaches neither the registry nor the
/// repository.
/// </summary>
public sealed partial class WorkflowTests
{
    public static TheoryData<string> Workflows =>
        new(
            Directory
                .EnumerateFiles(Path.Combine(Source.Root, ".github/workflows"), "*.yml")
                .Select(f => Path.GetRelativePath(Source.Root, f))
                .Order(StringComparer.Ordinal)
        );

    public static TheoryData<string, string> Teams => Source.Teams;

    /// <summary>
    /// The workflow that runs for every change has no team's tests. The one that runs all tests does so for main and for changes that no
    /// team owns.
    /// </summary>
    [Fact]
    public void No_team_waits_for_the_tests_of_another()
    {
        var rules = Yaml.Read(".github/workflows/rules.yml")[0];
        var commands = rules["jobs"]
            .Members.SelectMany(j => j.Value["steps"].Items)
            .Select(s => s["run"].Text)
            .Where(c => c.Length > 0)
            .ToList();
        var everything = Yaml.Read(".github/workflows/everything.yml")[0]["on.pull_request.paths"].Items.Select(p => p.Text).ToList();

        Assert.NotEmpty(commands);
        Assert.All(
            commands,
            c =>
                Assert.Matches(
                    "^sudo apt-get |^dotnet (build|test) tests/Architecture.Tests( |$)|^dotnet tool restore && dotnet csharpier check",
                    c
                )
        );
        Assert.Empty(rules["on.pull_request"].Members);
        Assert.NotEmpty(everything);
        Assert.DoesNotContain(
            everything,
            p =>
                Source.Gateways.Any(g => p.Contains(g.Host, StringComparison.Ordinal))
                || p.StartsWith("src/", StringComparison.Ordinal)
                || p.StartsWith("**", StringComparison.Ordinal)
        );
    }

    [Theory]
    [MemberData(nameof(Workflows))]
    public void Actions_are_pinned_by_commit_and_say_their_version(string file)
    {
        var lines = File.ReadAllLines(Path.Combine(Source.Root, file)).Where(l => l.Contains("uses:", StringComparison.Ordinal)).ToList();

        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.Matches(Pinned(), line));
    }

    [Theory]
    [MemberData(nameof(Workflows))]
    public void A_checkout_leaves_no_credentials_behind(string file)
    {
        var checkouts = Steps(file).Where(s => s["uses"].Text.StartsWith("actions/checkout@", StringComparison.Ordinal)).ToList();

        Assert.NotEmpty(checkouts);
        Assert.All(checkouts, step => Assert.Equal("false", step["with.persist-credentials"].Text));
    }

    [Theory]
    [MemberData(nameof(Workflows))]
    public void A_job_that_may_write_runs_nothing_of_the_repository_or_its_packages(string file)
    {
        var workflow = Yaml.Read(file)[0];
        Assert.Equal(["contents: read"], workflow["permissions"].Members.Select(p => $"{p.Key}: {p.Value.Text}"));
        foreach (var (name, job) in workflow["jobs"].Members)
        {
            if (!job["permissions"].Members.Any(p => p.Value.Text == "write"))
            {
                continue;
            }

            Assert.Equal(["packages: write"], job["permissions"].Members.Select(p => $"{p.Key}: {p.Value.Text}"));
            Assert.Equal("push", name);
            Assert.All(job["steps"].Items, step => Assert.Matches("^$|^actions/download-artifact@", step["uses"].Text));
            Assert.All(job["steps"].Items, step => Assert.DoesNotMatch("dotnet|buildx|docker build|npm|eng/|\\./", step["run"].Text));
        }
    }

    [Theory]
    [MemberData(nameof(Workflows))]
    public void Only_the_job_that_pushes_gets_a_token(string file)
    {
        foreach (var (name, job) in Yaml.Read(file)[0]["jobs"].Members.Where(j => j.Key != "push"))
        {
            Assert.DoesNotContain(
                job["steps"].Items.SelectMany(step => step["env"].Members.Concat(step["with"].Members)),
                m => m.Value.Text.Contains("secrets.", StringComparison.Ordinal)
            );
            Assert.NotEmpty(name);
        }
    }

    [Theory]
    [MemberData(nameof(Teams))]
    public void A_release_stops_at_a_base_image_without_digest(string host, string workflow)
    {
        var steps = Yaml.Read($".github/workflows/{workflow}.yml")[0]["jobs.image.steps"].Items.ToList();
        var check = steps.FindIndex(s => s["run"].Text == $"eng/pin-images --check src/{host}/Dockerfile");

        Assert.InRange(check, 0, steps.FindIndex(s => s["uses"].Text.StartsWith("docker/build-push-action@", StringComparison.Ordinal)));
        Assert.Equal("startsWith(github.ref, 'refs/tags/')", steps[check]["if"].Text);
    }

    private static IEnumerable<Yaml> Steps(string file) => Yaml.Read(file)[0]["jobs"].Members.SelectMany(j => j.Value["steps"].Items);

    [GeneratedRegex(@"uses: [a-z-]+/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")]
    private static partial Regex Pinned();
}
