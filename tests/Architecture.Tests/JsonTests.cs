using System.Text.RegularExpressions;

namespace Architecture.Tests;

/// <summary>JSON is read and written through source-generated contexts: no call finds the type by reflection.</summary>
public sealed partial class JsonTests
{
    [Fact]
    public void Every_serializer_call_names_generated_metadata()
    {
        var calls = Source
            .Files("src")
            .SelectMany(f => Call().Matches(File.ReadAllText(f)).Select(m => (File: Path.GetFileName(f), Call: m.Value)))
            .ToList();

        Assert.True(calls.Count > 20);
        Assert.Empty(calls.Where(c => !Metadata().IsMatch(c.Call)).ToList());
    }

    /// <summary>Matches a call up to the end of its statement.</summary>
    [GeneratedRegex(
        @"(?:JsonSerializer\.(?:Serialize|Deserialize)\w*|WriteAsJsonAsync|ReadFromJsonAsync|GetFromJsonAsync|Results\.Json)(?:<[^>(]*>)?\([^;]*;"
    )]
    private static partial Regex Call();

    /// <summary>
    /// Matches a member of a generated context (<c>SomethingJson.Default.Order</c>) or a <c>JsonTypeInfo</c> that was passed in.
    /// </summary>
    [GeneratedRegex(@"\w*Json\.\w+|\b(?:\w*[tT]ype|[iI]nfo)\b\s*[,)]|\.Type\b")]
    private static partial Regex Metadata();
}
