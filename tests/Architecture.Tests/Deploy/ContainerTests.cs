using System.Text.RegularExpressions;

namespace Architecture.Tests.Deploy;

/// <summary>Tests images and the composition for one machine.</summary>
public sealed partial class ContainerTests
{
    private static readonly string[] Gateways = ["mobile", "web", "partner"];
    private readonly Yaml _compose = Yaml.Read("docker-compose.yml")[0];

    public static TheoryData<string> Hosts => new(Source.Gateways.Select(g => g.Host));

    [Theory]
    [MemberData(nameof(Hosts))]
    public void An_image_is_made_of_shared_and_one_host(string host)
    {
        var lines = File.ReadAllLines(Path.Combine(Source.Root, "src", host, "Dockerfile"));
        var copied = lines
            .Select(l => Copy().Match(l))
            .Where(m => m.Success)
            .SelectMany(m => m.Groups[1].Value.Split(' '))
            .Where(p => p.StartsWith("src/", StringComparison.Ordinal));

        Assert.All(copied, path => Assert.Matches($"^src/(Shared/|{host}/|Directory.Build.targets$)", path));
        Assert.Contains(lines, l => l.StartsWith("USER ", StringComparison.Ordinal));
        Assert.Matches(
            "^FROM mcr.microsoft.com/dotnet/aspnet:[^@]*-chiseled(@sha256:[0-9a-f]{64})?$",
            lines.Last(l => l.StartsWith("FROM ", StringComparison.Ordinal))
        );
    }

    [Theory]
    [MemberData(nameof(Hosts))]
    public void Every_file_that_a_build_reads_reaches_it(string host)
    {
        var dockerfile = File.ReadAllText(Path.Combine(Source.Root, "src", host, "Dockerfile"));
        var ignored = File.ReadAllLines(Path.Combine(Source.Root, ".dockerignore"));
        var project = File.ReadAllText(Path.Combine(Source.Root, "src", host, host + ".csproj"));
        var steering = (string[])[".editorconfig", "global.json", "Directory.Build.props", "Directory.Packages.props"];

        Assert.All(steering, file => Assert.Contains(file, dockerfile, StringComparison.Ordinal));
        Assert.All(steering, file => Assert.Contains("!" + file, ignored));
        Assert.Equal(
            project.Contains("<Protobuf ", StringComparison.Ordinal),
            dockerfile.Contains("COPY contracts/*.proto", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Nothing_but_gateways_reaches_a_service_or_redis()
    {
        foreach (var network in (string[])["services", "state"])
        {
            var members = _compose["services"].Members.Where(s => Networks(s.Value).Contains(network)).Select(s => s.Key).ToList();

            Assert.Equal("true", _compose[$"networks.{network}.internal"].Text);
            Assert.Equal(network == "state" ? "redis" : "services", Assert.Single(members.Except(Gateways)));
        }

        Assert.All(["redis", "services"], name => Assert.Single(Networks(_compose[$"services.{name}"])));
    }

    [Fact]
    public void Ports_are_published_on_loopback_alone() =>
        Assert.All(
            _compose["services"].All("ports").SelectMany(p => p.Items),
            port => Assert.StartsWith("127.0.0.1:", port.Text, StringComparison.Ordinal)
        );

    [Fact]
    public void Gateways_run_without_privileges_and_have_time_to_stop()
    {
        foreach (var gateway in Gateways.Select(g => _compose[$"services.{g}"]))
        {
            Assert.Equal("true", gateway["read_only"].Text);
            Assert.Equal(["ALL"], gateway["cap_drop"].Items.Select(c => c.Text));
            Assert.Equal("40s", gateway["stop_grace_period"].Text);
        }
    }

    /// <summary>The image has no development settings, so the composition must bring what the sample app's buttons call.</summary>
    [Fact]
    public void The_sample_app_can_break_services_in_containers_too()
    {
        using var development = System.Text.Json.JsonDocument.Parse(
            File.ReadAllText(Path.Combine(Source.Root, "src/WebBff/appsettings.Development.json"))
        );
        var wanted = Flat(development.RootElement.GetProperty("ReverseProxy"), "ReverseProxy").Order();
        var given = _compose["services.web.environment"]
            .Members.Where(m => m.Key.StartsWith("ReverseProxy__", StringComparison.Ordinal))
            .Select(m => $"{m.Key}={m.Value.Text}")
            .Order();

        Assert.Equal(wanted, given);

        static IEnumerable<string> Flat(System.Text.Json.JsonElement at, string path) =>
            at.ValueKind switch
            {
                System.Text.Json.JsonValueKind.Object => at.EnumerateObject().SelectMany(m => Flat(m.Value, $"{path}__{m.Name}")),
                System.Text.Json.JsonValueKind.Array => at.EnumerateArray().SelectMany((item, i) => Flat(item, $"{path}__{i}")),
                _ => [$"{path}={at}"],
            };
    }

    [Fact]
    public void Redis_persists_its_data() => Assert.Contains("--appendonly", _compose["services.redis.command"].Items.Select(c => c.Text));

    /// <summary>A variable replaces the development value of a secret, and the value says what it is.</summary>
    [Fact]
    public void Secrets_can_be_replaced_and_are_marked()
    {
        var text = File.ReadAllLines(Path.Combine(Source.Root, "docker-compose.yml"));
        var secrets = text.Where(l => SecretKey().IsMatch(l)).ToList();

        Assert.True(secrets.Count >= 6);
        Assert.All(
            secrets,
            l => Assert.Matches("\\$\\{BFF_[A-Z_]+:-.*development", l.Replace("Development", "development", StringComparison.Ordinal))
        );
    }

    private static List<string> Networks(Yaml service) =>
        [.. service["networks"].Items.Select(n => n.Text), .. service["networks"].Members.Select(n => n.Key)];

    [GeneratedRegex(@"^COPY (?!--from)(.*) \S+$")]
    private static partial Regex Copy();

    [GeneratedRegex(@"(?i)(secret|pepper|password|bootstrap__\w+|auth): |password=|--requirepass")]
    private static partial Regex SecretKey();
}
