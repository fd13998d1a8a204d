using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bff.UpstreamContracts.Checks;

/// <summary>
/// Compares what a gateway reads or sends with what a service's document says. What the gateway reads must be there in the same form, and
/// what it sends must be accepted. The rest of the document is not compared.
/// </summary>
/// <param name="contract">The gateway's contract.</param>
/// <param name="document">The service's document.</param>
/// <param name="formats">Whether the document has formats of texts; a GraphQL schema does not.</param>
internal sealed class Comparison(JsonNode contract, JsonNode document, bool formats = true)
{
    /// <summary>Marks a schema that the document names without describing it.</summary>
    public const string Unknown = "x-unknown";

    // Stops the comparison of a document whose schemas contain each other in every combination.
    private const int MostSteps = 100_000;

    private readonly HashSet<(object, object)> _within = [];
    private int _steps;

    /// <summary>Reports a difference: the member's path (empty: the whole) and what differs.</summary>
    public delegate void Found(string path, string what);

    /// <summary>Compares what the gateway reads of an answer.</summary>
    public void Read(string path, JsonNode? read, JsonNode? given, Found found) =>
        Guarded(
            read ?? new JsonObject(),
            given ?? new JsonObject(),
            (r, g) => Read(path, r, g, found),
            (r, g) => ReadNull(path, r, g, found)
        );

    /// <summary>Compares what the gateway sends in a body or in a parameter, in which every simple value is text.</summary>
    public void Sent(string path, JsonNode? sent, JsonNode? taken, Found found, bool isText = false) =>
        Guarded(
            sent ?? new JsonObject(),
            taken ?? new JsonObject(),
            (s, t) => Sent(path, s, t, found, isText),
            (s, t) => SentNull(path, s, t, found)
        );

    private void Guarded(JsonNode mine, JsonNode theirs, Action<Shape, Shape> compare, Action<Shape, Shape>? again = null) =>
        Guarded(Shape.Of(mine, contract), Shape.Of(theirs, document), compare, again);

    private void Guarded(Shape own, Shape other, Action<Shape, Shape> compare, Action<Shape, Shape>? again = null)
    {
        if (++_steps > MostSteps)
        {
            throw new InvalidOperationException("The document's schemas are too complex to compare.");
        }

        if (_within.Add((own.Schema, other.Schema))) // A schema may contain itself.
        {
            compare(own, other);
            _within.Remove((own.Schema, other.Schema));
        }
        else
        {
            again?.Invoke(own, other); // The place that uses a schema says whether it may be null.
        }
    }

    private static void ReadNull(string path, Shape read, Shape given, Found found)
    {
        if (given.IsNullable && !read.IsNullable)
        {
            found(path, "may now be null");
        }
    }

    private static void SentNull(string path, Shape sent, Shape taken, Found found)
    {
        if (sent.IsNullable && !taken.IsNullable)
        {
            found(path, "may no longer be null");
        }
    }

    private void Read(string path, Shape read, Shape given, Found found)
    {
        if (read.IsAnything || given.Schema.ContainsKey(Unknown))
        {
            return;
        }

        ReadNull(path, read, given, found);
        if (given.Variants.Count > 0)
        {
            foreach (var variant in given.Variants.Values)
            {
                Guarded(read, Shape.Of(variant, document), (r, v) => Read(path, r, given.As(v), found));
            }

            return;
        }

        if (read.Variants.Count > 0)
        {
            if (
                !read.Variants.Values.Any(v =>
                    Finds(f => Guarded(Shape.Of(v, contract), given, (r, g) => Read(path, read.As(r), g, f))) == 0
                )
            )
            {
                found(path, $"may now be {Text(given)} of a kind that is not read");
            }

            return;
        }

        if (!Covers(read, given))
        {
            found(path, $"is now {Text(given)}, read as {Text(read)}");
            return;
        }

        ReadValues(path, read, given, found);
        ReadMembers(path, read, given, found);
        if (read.Items is not null)
        {
            Read(path + "[]", read.Items, given.Items, found);
        }

        if (read.Rest is JsonObject rest)
        {
            foreach (var (name, member) in given.Members.Where(m => !read.Members.ContainsKey(m.Key)))
            {
                Read(Join(path, name), rest, member, found);
            }

            if (given.Members.Count == 0 || given.Rest is JsonObject)
            {
                Read(path + ".*", rest, given.Rest as JsonObject, found);
            }
        }
    }

    private static void ReadValues(string path, Shape read, Shape given, Found found)
    {
        if (read.Values is null)
        {
            return;
        }

        if (given.Values is null)
        {
            found(path, "may now be any value");
        }
        else if (given.Values.Except(read.Values).ToList() is { Count: > 0 } others)
        {
            found(path, $"may now be {string.Join(" or ", others)}");
        }
    }

    private void ReadMembers(string path, Shape read, Shape given, Found found)
    {
        foreach (var (name, member) in read.Members)
        {
            var at = Join(path, name);
            if ((given.Members.GetValueOrDefault(name) ?? given.Rest as JsonObject) is not { } same || Is("writeOnly", same))
            {
                found(at, "is gone");
                continue;
            }

            if (read.Required.Contains(name) && !(given.Required.Contains(name) && given.Members.ContainsKey(name)))
            {
                found(at, "may now be absent");
            }

            Read(at, member, same, found);
        }
    }

    private void Sent(string path, Shape sent, Shape taken, Found found, bool isText)
    {
        if (taken.IsAnything || (sent.IsAnything && sent.Schema.Count == 0))
        {
            return; // Content that is written elsewhere is unknown here.
        }

        if (sent.Variants.Count > 0)
        {
            foreach (var variant in sent.Variants.Values)
            {
                Guarded(Shape.Of(variant, contract), taken, (v, t) => Sent(path, sent.As(v), t, found, isText));
            }

            return;
        }

        if (taken.Variants.Count > 0)
        {
            if (
                !taken.Variants.Values.Any(v =>
                    Finds(f => Guarded(sent, Shape.Of(v, document), (s, t) => Sent(path, s, taken.As(t), f, isText))) == 0
                )
            )
            {
                found(path, $"is no longer taken as {Text(sent)}");
            }

            return;
        }

        SentNull(path, sent, taken, found);
        if (isText ? !Parses(sent, taken) : !Covers(taken with { Format = taken.Types.Contains("string") ? null : taken.Format }, sent))
        {
            found(path, $"is now {Text(taken)}, sent as {Text(sent)}");
            return;
        }

        if (sent.Values is not null && taken.Values is not null)
        {
            foreach (var value in sent.Values.Except(taken.Values).Where(v => !isText || !taken.Values.Contains($"\"{v}\"")))
            {
                found(path, $"is no longer taken as {value}");
            }
        }

        SentMembers(path, sent, taken, found);
        if (sent.Items is not null && taken.Items is not null)
        {
            Sent(path + "[]", sent.Items, taken.Items, found, isText);
        }

        if (sent.Rest is JsonObject rest && taken.Rest is JsonObject values)
        {
            Sent(path + ".*", rest, values, found);
        }
    }

    private void SentMembers(string path, Shape sent, Shape taken, Found found)
    {
        foreach (
            var name in taken
                .Required.Except(sent.Required)
                .Where(n =>
                    sent.Types.Contains("object") && sent.Rest is not JsonObject && !Is("readOnly", taken.Members.GetValueOrDefault(n))
                )
        )
        {
            found(
                Join(path, name),
                sent.Members.ContainsKey(name) ? "is now required, and may be left out" : "is now required, and is not sent"
            );
        }

        foreach (var (name, member) in sent.Members)
        {
            if ((taken.Members.GetValueOrDefault(name) ?? taken.Rest as JsonObject) is { } same)
            {
                Sent(Join(path, name), member, same, found);
            }
            else if (taken.Members.Count > 0 || taken.Rest is JsonValue)
            {
                found(Join(path, name), "is no longer taken");
            }
        }
    }

    /// <summary>Whether every value of the narrow schema is a value of the wide one, judged by type and format.</summary>
    private bool Covers(Shape wide, Shape narrow)
    {
        var fits =
            narrow.Types.Count > 0 && narrow.Types.All(t => wide.Types.Contains(t) || (t == "integer" && wide.Types.Contains("number")));
        return fits
            && (
                wide.Format is null
                || wide.Format == narrow.Format
                || (wide.Types.Contains("string") ? !formats : narrow.Format != "int64" && wide.Types.Contains("integer"))
                || (wide.Format, narrow.Format) is ("int64", _)
                || wide.Types.Contains("number")
            );
    }

    // In a path, a query or a header every value is text.
    private static bool Parses(Shape sent, Shape taken) =>
        taken.Types.Contains("string")
        || sent.Types.All(t => taken.Types.Contains(t) || (t == "integer" && taken.Types.Contains("number")))
        || (taken.Types.Contains("array") && sent.Types.Count > 0 && !sent.Types.Contains("object"));

    // Members made by the service are required only in answers, and members it never returns only in requests (OpenAPI, schema object).
    private bool Is(string side, JsonNode? member) =>
        member is JsonObject
        && ((member[side] ?? Shape.Follow(member, document).Target[side]) as JsonValue)?.GetValueKind() == JsonValueKind.True;

    private static int Finds(Action<Found> compare)
    {
        var found = 0;
        compare((_, _) => found++);
        return found;
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static string Text(Shape shape)
    {
        var types = string.Join(" or ", shape.Types);
        return types.Length == 0
            ? shape.Variants.Count > 0
                ? "one of several"
                : "anything"
            : shape.Format is null
                ? types
                : $"{types} ({shape.Format})";
    }
}
