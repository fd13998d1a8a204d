using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Architecture.Tests.Delivery;

/// <summary>Finds an outdated lock file before a workflow refuses it.</summary>
public sealed partial class LockFileTests
{
    private static readonly Dictionary<string, string> Pins = XDocument
        .Load(Path.Combine(Source.Root, "Directory.Packages.props"))
        .Descendants("PackageVersion")
        .ToDictionary(p => p.Attribute("Include")!.Value, p => p.Attribute("Version")!.Value, StringComparer.OrdinalIgnoreCase);

    public static TheoryData<string> Projects =>
        [
            .. File.ReadAllLines(Path.Combine(Source.Root, "Bff.sln"))
                .Select(line => ProjectPath().Match(line))
                .Where(match => match.Success)
                .Select(match => Path.GetDirectoryName(match.Groups[1].Value.Replace('\\', '/'))!)
                .Where(folder => folder != "dev/AppHost"), // Its packages depend on the machine that builds it.
        ];

    public static TheoryData<string> Hosts => new(Source.Gateways.Select(g => g.Host));

    [Theory]
    [MemberData(nameof(Projects))]
    public void Every_package_is_locked_at_the_version_that_is_pinned(string folder)
    {
        var locked = Packages(folder).SelectMany(platform => platform.EnumerateObject()).ToList();
        var project = XDocument.Load(Directory.GetFiles(Path.Combine(Source.Root, folder), "*.csproj").Single());

        foreach (var package in locked.Where(p => p.Value.TryGetProperty("resolved", out _) && Pins.ContainsKey(p.Name)))
        {
            Assert.Equal((package.Name, Pins[package.Name]), (package.Name, package.Value.GetProperty("resolved").GetString()));
        }

        Assert.All(
            project.Descendants("PackageReference"),
            reference =>
                Assert.Contains(locked, p => p.Name.Equals(reference.Attribute("Include")!.Value, StringComparison.OrdinalIgnoreCase))
        );
    }

    [Theory]
    [MemberData(nameof(Hosts))]
    public void An_image_restores_what_is_locked_for_its_platforms(string host)
    {
        var dockerfile = File.ReadAllText(Path.Combine(Source.Root, "src", host, "Dockerfile"));

        Assert.Contains(
            $"COPY src/Shared/Bff.Shared.csproj src/Shared/packages.lock.json src/Shared/\n",
            dockerfile,
            StringComparison.Ordinal
        );
        Assert.Contains($"COPY src/{host}/{host}.csproj src/{host}/packages.lock.json src/{host}/\n", dockerfile, StringComparison.Ordinal);
        Assert.Matches(@"RUN dotnet restore .* -a \$TARGETARCH --locked-mode\n", dockerfile);
        foreach (var folder in (string[])["src/Shared", "src/" + host])
        {
            var platforms = Lock(folder).EnumerateObject().Select(p => p.Name);
            Assert.Subset(platforms.ToHashSet(), new HashSet<string> { "net10.0/linux-arm64", "net10.0/linux-x64" });
        }
    }

    private static IEnumerable<JsonElement> Packages(string folder) => Lock(folder).EnumerateObject().Select(platform => platform.Value);

    private static JsonElement Lock(string folder)
    {
        using var file = JsonDocument.Parse(File.ReadAllText(Path.Combine(Source.Root, folder, "packages.lock.json")));
        return file.RootElement.GetProperty("dependencies").Clone();
    }

    [GeneratedRegex("\"([^\"]+\\.csproj)\"")]
    private static partial Regex ProjectPath();
}
