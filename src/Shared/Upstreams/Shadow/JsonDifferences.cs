using System.Runtime.InteropServices;
using System.Text.Json;

namespace Bff.Upstreams.Shadow;

/// <summary>Compares two JSON documents and returns the paths of the members that differ: names only, never values.</summary>
internal static class JsonDifferences
{
    /// <summary>Maximum number of paths for one pair of documents; beyond it, they are simply different documents.</summary>
    public const int Most = 32;

    /// <summary>Maximum depth; a deeper difference is counted at the path above it.</summary>
    private const int Depth = 16;

    /// <summary>
    /// Returns the distinct paths at which <paramref name="one"/> and <paramref name="other"/> differ, such as <c>items[].price</c>; the
    /// root is <c>$</c>. Elements are compared by position and numbers by value; the order of members is ignored.
    /// </summary>
    /// <exception cref="InvalidOperationException">A name contains a lone surrogate.</exception>
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
        // A document finds a member by a linear search, so direct look-ups would take quadratic time.
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
