using System.Text.Json.Nodes;
using Bff.UpstreamContracts.Checks;

namespace Architecture.Tests.Contracts;

/// <summary>
/// Compares schemas in one direction. What clients send must still be accepted, so an input may only grow wider; what they read must still
/// be understood, so an output may only grow narrower. Members may be added on both sides and removed on neither.
/// </summary>
internal sealed class SchemaBreaks(JsonNode baseline, JsonNode current, bool isInput, List<string> found)
{
    private static readonly (string Bound, int Stricter)[] Bounds =
    [
        ("minLength", 1),
        ("minimum", 1),
        ("exclusiveMinimum", 1),
        ("minItems", 1),
        ("maxLength", -1),
        ("maximum", -1),
        ("exclusiveMaximum", -1),
        ("maxItems", -1),
    ];

    private readonly HashSet<(string, string)> _seen = [];

    public void Compare(string where, JsonNode? before, JsonNode? after)
    {
        if (before is null)
        {
            return;
        }

        var (old, now) = (Shape.Of(before, baseline), Shape.Of(after ?? new JsonObject(), current));
        var (wide, narrow) = isInput ? (now, old) : (old, now);
        if (!Covers(wide, narrow))
        {
            found.Add($"{where}: type was {Text(old)}, is {Text(now)}");
            return;
        }

        if (!isInput && now.IsNullable && !old.IsNullable && IsSomething(old))
        {
            found.Add($"{where}: may be null now");
        }
        else if (isInput && old.IsNullable && !now.IsNullable && IsSomething(now))
        {
            found.Add($"{where}: may not be null any more");
        }

        if (old.Name.Length > 0 && !_seen.Add((old.Name, now.Name)))
        {
            return; // A schema may contain itself.
        }

        CompareValues(where, old, now);
        CompareMembers(where, old, now);
        Compare(where + "[]", old.Items, now.Items);
        CompareRest(where, old.Rest, now.Rest);
        found.AddRange(old.Variants.Keys.Except(now.Variants.Keys).Select(gone => $"{where}: variant {gone} is gone"));
        foreach (var (key, variant) in old.Variants.Where(v => now.Variants.ContainsKey(v.Key)))
        {
            Compare($"{where}({key})", variant, now.Variants[key]);
        }

        if (isInput)
        {
            CompareBounds(where, old.Schema, now.Schema);
        }
    }

    private void CompareValues(string where, Shape old, Shape now)
    {
        if (old.Values is not null && now.Values is not null)
        {
            found.AddRange(old.Values.Except(now.Values).Select(gone => $"{where}: value {gone} is gone"));
        }
        else if (isInput ? now.Values is not null : old.Values is not null)
        {
            found.Add(isInput ? $"{where}: takes only some values now" : $"{where}: promises no set of values any more");
        }
    }

    private void CompareMembers(string where, Shape old, Shape now)
    {
        foreach (var (name, member) in old.Members)
        {
            if (now.Members.TryGetValue(name, out var same))
            {
                Compare($"{where}.{name}", member, same);
            }
            else
            {
                found.Add($"{where}.{name}: is gone");
            }
        }

        found.AddRange(
            isInput
                ? now.Required.Except(old.Required).Select(name => $"{where}.{name}: is required now")
                : old.Required.Intersect(now.Members.Keys).Except(now.Required).Select(name => $"{where}.{name}: may be left out now")
        );
    }

    private void CompareRest(string where, JsonNode? before, JsonNode? after)
    {
        if (before is JsonObject)
        {
            Compare(where + ".*", before, after);
        }

        if (isInput && after is JsonValue && !after.GetValue<bool>() && !(before is JsonValue && !before.GetValue<bool>()))
        {
            found.Add($"{where}: refuses unknown members now");
        }
    }

    private void CompareBounds(string where, JsonObject old, JsonObject now)
    {
        foreach (var (bound, stricter) in Bounds)
        {
            if ((double?)now[bound] is { } limit && ((double?)old[bound] is not { } was || limit.CompareTo(was) == stricter))
            {
                found.Add($"{where}: {bound} is {limit} now");
            }
        }

        if ((string?)now["pattern"] is { } pattern && pattern != (string?)old["pattern"])
        {
            found.Add($"{where}: must match {pattern} now");
        }
    }

    /// <summary>Whether every value of the narrow schema is a value of the wide one, judged by type and format.</summary>
    private static bool Covers(Shape wide, Shape narrow)
    {
        if (wide.Types.Count == 0)
        {
            return true;
        }

        var fits =
            narrow.Types.Count > 0 && narrow.Types.All(t => wide.Types.Contains(t) || (t == "integer" && wide.Types.Contains("number")));
        return fits
            && (
                wide.Format is null
                || wide.Format == narrow.Format
                || (wide.Format, narrow.Format) is ("int64", "int32") or ("double", "float" or "int32")
            );
    }

    private static bool IsSomething(Shape shape) => shape.Types.Count + shape.Variants.Count > 0;

    private static string Text(Shape shape) =>
        string.Join('|', shape.Types) is { Length: > 0 } types
            ? shape.Format is null
                ? types
                : $"{types} ({shape.Format})"
            : "anything";
}
