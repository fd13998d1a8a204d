using System.Text.RegularExpressions;

namespace Architecture.Tests;

/// <summary>Which projects may know each other.</summary>
public sealed partial class RoomsTests
{
    public static TheoryData<string> Hosts => new(Source.Hosts);

    [Theory]
    [MemberData(nameof(Hosts))]
    public void No_host_references_another(string host)
    {
        var others = Source.Hosts.Where(h => h != host);

        Assert.Empty(Source.Load(host).GetReferencedAssemblies().Select(a => a.Name).Intersect(others));
        Assert.DoesNotMatch(
            $"<ProjectReference[^>]*({string.Join('|', others)})",
            File.ReadAllText(Path.Combine(Source.Root, "src", host, host + ".csproj"))
        );
    }

    [Fact]
    public void Shared_knows_no_host()
    {
        Assert.Empty(Source.Load("Bff.Shared").GetReferencedAssemblies().Select(a => a.Name).Intersect(Source.Hosts));
        Assert.DoesNotContain(Source.Files("src/Shared"), f => HostName().IsMatch(File.ReadAllText(f)));
    }

    /// <summary>A host without agents loads nothing of their protocol.</summary>
    [Fact]
    public void Only_partners_have_agents() =>
        Assert.Equal(
            ["PartnerBff"],
            Source
                .Hosts.Prepend("Bff.Shared")
                .Where(a =>
                    Source.Load(a).GetReferencedAssemblies().Any(r => r.Name!.StartsWith("ModelContextProtocol", StringComparison.Ordinal))
                )
        );

    [Theory]
    [MemberData(nameof(Hosts))]
    public void A_program_fits_one_screen(string host) =>
        Assert.InRange(File.ReadAllLines(Path.Combine(Source.Root, "src", host, "Program.cs")).Length, 5, 40);

    [Fact]
    public void Middleware_joins_only_where_the_order_is_written_out() =>
        Assert.DoesNotContain(
            Source.Files("src").Where(f => Path.GetFileName(f) is not ("BffPipeline.cs" or "PipelinePlaces.cs")),
            f => UseMiddleware().IsMatch(File.ReadAllText(f))
        );

    [Fact]
    public void Namespaces_are_folders() =>
        Assert.Empty(
            Source
                .Files("src")
                .Where(file => NamespaceOf(file) is { } name && name != FolderOf(file))
                .Select(file => $"{file} is in {NamespaceOf(file)}")
        );

    private static string? NamespaceOf(string file) =>
        Namespace().Match(File.ReadAllText(file)) is { Success: true } found ? found.Groups[1].Value : null;

    private static string FolderOf(string file)
    {
        var parts = Path.GetRelativePath(Path.Combine(Source.Root, "src"), Path.GetDirectoryName(file)!).Split(Path.DirectorySeparatorChar);
        return string.Join('.', parts[0] == "Shared" ? ["Bff", .. parts[1..]] : parts);
    }

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"\b(MobileBff|WebBff|PartnerBff)\b")]
    private static partial Regex HostName();

    [GeneratedRegex(@"\.UseMiddleware<")]
    private static partial Regex UseMiddleware();
}
