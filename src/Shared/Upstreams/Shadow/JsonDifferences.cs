using System.Runtime.InteropServices;
using System.Text.Json;

namespace Bff.Upstreams.Shadow;

/// <summary>Where two JSON documents differ, by the paths of their members: names alone, never values.</summary>
internal static class JsonDifferences
{
    /// <summary>Of one pair of documents: what differs everywhere is not one document.</summary>
    public const int Most = 32;

    /// <summary>Deeper than this a difference is counted at the path that leads there.</summary>
    private const int Depth = 16;

    /// <summary>
    /// The distinct paths at which <paramref name="one"/> and <paramref name="other"/> differ, such as <c>items[].price</c>; the root is
    /// <c>$</c>. Elements are compared by their place; numbers by their value; the order of members says nothing.
    /// </summary>
    /// <exception cref="InvalidOperationException">A name has half a character (a lone surrogate).</exception>
    public static IReadOnlyCollection<string> Between(JsonElement one, JsonElement other)
    {
        var paths = new HashSet<string>(StringComparer.Ordinal);
        Compare(one, other, "", Depth, paths);
        return paths;
    }

    private static void Compare(JsonElement one, JsonElement other, string path, int depth, HashSet<string> paths)
    {
        if (paths.Count >= Most || JsonMarshal.GetRawUtf8Value(one).SequenceEqual(JsonMarshal.GetRawUtf8Value(other)))
        {
            return;
        }

        if (one.ValueKind != other.ValueKind || depth == 0)
        {
            if (depth > 0 || !JsonElement.DeepEquals(one, other))
            {
                Add(path, paths);
            }
        }
        else if (one.ValueKind == JsonValueKind.Object)
        {
            CompareMembers(one, other, path, depth, paths);
        }
        else if (one.ValueKind == JsonValueKind.Array)
        {
            CompareElements(one, other, path + "[]", depth, paths);
        }
        else if (!JsonElement.DeepEquals(one, other))
        {
            Add(path, paths);
        }
    }

    private static void CompareMembers(JsonElement one, JsonElement other, string path, int depth, HashSet<string> paths)
    {
        // A document finds a member by looking at all of them: the work would be the square of their number.
        var (left, right) = (Members(one), Members(other));
        foreach (var (name, value) in left)
        {
            var at = Below(path, name);
            if (right.Remove(name, out var same))
            {
                Compare(value, same, at, depth - 1, paths);
            }
            else
            {
                Add(at, paths);
            }
        }

        foreach (var name in right.Keys)
        {
            Add(Below(path, name), paths);
        }
    }

    private static Dictionary<string, JsonElement> Members(JsonElement json)
    {
        var members = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var member in json.EnumerateObject())
        {
            members[member.Name] = member.Value;
        }

        return members;
    }

    private static void CompareElements(JsonElement one, JsonElement other, string path, int depth, HashSet<string> paths)
    {
        if (one.GetArrayLength() != other.GetArrayLength())
        {
            Add(path, paths);
        }

        foreach (var (left, right) in one.EnumerateArray().Zip(other.EnumerateArray()))
        {
            Compare(left, right, path, depth - 1, paths);
        }
    }

    private static string Below(string path, string member) => path.Length == 0 ? member : $"{path}.{member}";

    private static void Add(string path, HashSet<string> paths)
    {
        if (paths.Count < Most)
        {
            paths.Add(path.Length == 0 ? "$" : path);
        }
    }
}
