using System.Text.RegularExpressions;

namespace Architecture.Tests.Deploy;

/// <summary>operations.md explains every key that can be found in Redis.</summary>
public sealed partial class RedisKeysTests
{
    [Fact]
    public void Every_key_and_channel_is_explained()
    {
        var page = File.ReadAllText(Path.Combine(Source.Root, "docs/operations.md"));
        var names = Source
            .Files("src")
            .SelectMany(f => Key().Matches(File.ReadAllText(f)).Select(m => Fixed(m.Groups[1].Value)))
            .Distinct()
            .ToList();

        Assert.True(names.Count > 15);
        Assert.Empty(names.Where(n => !page.Contains("`" + n, StringComparison.Ordinal)).ToList());
    }

    /// <summary>Returns the part before the first variable one; {{ and }} of an interpolated text are the braces of a hash tag.</summary>
    private static string Fixed(string key)
    {
        var text = key.Replace("{{", "\u0001", StringComparison.Ordinal).Replace("}}", "\u0002", StringComparison.Ordinal);
        var hole = Hole().Match(text);
        return (hole.Success ? text[..hole.Index] : text).Replace('\u0001', '{').Replace('\u0002', '}');
    }

    [GeneratedRegex("\"(bff:[^\"]+)\"")]
    private static partial Regex Key();

    [GeneratedRegex(@"\{(?!events\}|revocations\}|announced\})\w")]
    private static partial Regex Hole();
}
