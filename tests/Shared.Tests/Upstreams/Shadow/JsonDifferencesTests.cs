using System.Text.Json;
using Bff.Upstreams.Shadow;

namespace Bff.Shared.Tests.Upstreams.Shadow;

/// <summary>Differences between two answers are reported by path, without their values.</summary>
public sealed class JsonDifferencesTests
{
    [Theory]
    [InlineData("""{"a":1,"b":[1,2]}""", """{"b":[1,2],"a":1.0}""", "")]
    [InlineData("""{"a":1}""", """{"a":2}""", "a")]
    [InlineData("""{"a":1}""", """{"a":"1"}""", "a")]
    [InlineData("""{"a":null}""", """{}""", "a")]
    [InlineData("""{}""", """{"b":{"c":1}}""", "b")]
    [InlineData("""{"a":{"b":{"c":1,"d":2}}}""", """{"a":{"b":{"c":1,"d":3}}}""", "a.b.d")]
    [InlineData("""{"items":[{"price":1},{"price":2}]}""", """{"items":[{"price":1},{"price":3}]}""", "items[].price")]
    [InlineData("""{"items":[{"price":1},{"price":2}]}""", """{"items":[{"price":4},{"price":3}]}""", "items[].price")]
    [InlineData("""{"items":[1,2]}""", """{"items":[1]}""", "items[]")]
    [InlineData("""[[1],[2]]""", """[[1],[3]]""", "[][]")]
    [InlineData("""{"a":1}""", """[]""", "$")]
    [InlineData("1", "2", "$")]
    [InlineData("""{"a":1,"a":2}""", """{"a":2}""", "")]
    [InlineData("""{"a":"\u0041"}""", """{"a":"A"}""", "")]
    [InlineData("""{"a":{},"b":null}""", """{"a":null,"b":{}}""", "a b")]
    public void Differences_are_named_by_their_paths(string one, string other, string paths)
    {
        Assert.Equal(paths, string.Join(' ', Between(one, other)));
        Assert.Equal(paths, string.Join(' ', Between(other, one)));
    }

    [Fact]
    public void Differences_are_bounded_in_number_and_depth()
    {
        var wide = "{" + string.Join(',', Enumerable.Range(0, 1000).Select(i => $"\"m{i}\":1")) + "}";
        var (deep, deeper) = (Nested(60, "1"), Nested(60, "2"));

        Assert.Equal(JsonDifferences.Most, Between(wide, "{}").Count);
        Assert.Equal(16, Assert.Single(Between(deep, deeper)).Split('.').Length);
        Assert.Empty(Between(deep, deep));
    }

    private static string Nested(int depth, string value) =>
        string.Concat(Enumerable.Repeat("{\"a\":", depth)) + value + new string('}', depth);

    private static IReadOnlyCollection<string> Between(string one, string other)
    {
        using var left = JsonDocument.Parse(one);
        using var right = JsonDocument.Parse(other);
        return JsonDifferences.Between(left.RootElement, right.RootElement);
    }
}
