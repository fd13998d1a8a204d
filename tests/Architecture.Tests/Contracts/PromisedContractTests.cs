using System.Text.Json.Nodes;

namespace Architecture.Tests.Contracts;

/// <summary>
/// The build writes <c>contracts/</c> from code. <c>contracts/baseline/</c> is the promise to clients, and only a person changes it: to
/// promise additions, or with a new major version.
/// </summary>
public sealed class PromisedContractTests
{
    private static readonly string Folder = Path.Combine(Source.Root, "contracts");

    public static TheoryData<string> Documents => new(Names(Folder));

    [Theory]
    [MemberData(nameof(Documents))]
    public void No_client_that_was_written_against_the_promised_document_breaks(string document)
    {
        var (baseline, current) = (Read("baseline", document), Read("", document));

        Assert.NotEmpty(baseline["paths"]!.AsObject());
        var breaks = ContractBreaks.Between(baseline, current);
        Assert.True(breaks.Count == 0, string.Join('\n', breaks));
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void The_promised_document_is_of_the_major_version_in_force(string document) =>
        Assert.Equal(ContractBreaks.Major(Read("", document)), ContractBreaks.Major(Read("baseline", document)));

    [Fact]
    public void Every_promise_is_kept_by_a_document() => Assert.Equal(Names(Path.Combine(Folder, "baseline")), Names(Folder));

    private static string[] Names(string folder) =>
        Directory.EnumerateFiles(folder, "*.json").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal).ToArray();

    private static JsonNode Read(string folder, string document) =>
        JsonNode.Parse(File.ReadAllText(Path.Combine(Folder, folder, document)))!;
}
