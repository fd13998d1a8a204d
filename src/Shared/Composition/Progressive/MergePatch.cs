using System.Runtime.InteropServices;
using System.Text.Json;

namespace Bff.Composition.Progressive;

/// <summary>
/// Writes a JSON Merge Patch (RFC 7396) that turns one document into another. Null in a patch removes a member, so a patch cannot set a
/// member to null. The JSON Pointer (RFC 6901) of a member that became null is therefore recorded beside the patch. A patch replaces an
/// array as a whole, so nulls inside an array need no pointer.
/// </summary>
/// <param name="json">Where the patch is written.</param>
/// <param name="nulls">
/// Pointers to the members that are null although no patch could say so; kept up to date. Null records none.
/// </param>
internal sealed class MergePatch(Utf8JsonWriter json, List<string>? nulls)
{
    private readonly List<string> _path = [];

    /// <summary>Writes the members of an object that differ; the caller writes the braces.</summary>
    /// <param name="before">The client's version; undefined if it has none.</param>
    /// <param name="now">The new version.</param>
    public void WriteMembers(JsonElement before, JsonElement now)
    {
        var left = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        if (before.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in before.EnumerateObject())
            {
                left[member.Name] = member.Value;
            }
        }

        foreach (var member in now.EnumerateObject())
        {
            left.Remove(member.Name, out var was);
            _path.Add(member.Name);
            WriteMember(member.Name, was, member.Value);
            _path.RemoveAt(_path.Count - 1);
        }

        foreach (var name in left.Keys)
        {
            _path.Add(name);
            Forget();
            _path.RemoveAt(_path.Count - 1);
            json.WriteNull(name);
        }
    }

    private void WriteMember(string name, JsonElement was, JsonElement now)
    {
        if (was.ValueKind == now.ValueKind && JsonMarshal.GetRawUtf8Value(was).SequenceEqual(JsonMarshal.GetRawUtf8Value(now)))
        {
            return;
        }

        if (was.ValueKind != JsonValueKind.Object || now.ValueKind != JsonValueKind.Object)
        {
            Forget();
        }

        switch (now.ValueKind)
        {
            case JsonValueKind.Null:
                if (was.ValueKind != JsonValueKind.Undefined)
                {
                    json.WriteNull(name);
                }

                nulls?.Add(Pointer());
                break;
            case JsonValueKind.Object:
                json.WriteStartObject(name);
                WriteMembers(was, now);
                json.WriteEndObject();
                break;
            default:
                json.WritePropertyName(name);
                json.WriteRawValue(JsonMarshal.GetRawUtf8Value(now), skipInputValidation: true);
                break;
        }
    }

    private string Pointer() => string.Concat(_path.Select(static name => "/" + name.Replace("~", "~0").Replace("/", "~1")));

    /// <summary>Removes the recorded pointers to the current member and to members below it.</summary>
    private void Forget()
    {
        if (nulls is { Count: > 0 })
        {
            var pointer = Pointer();
            nulls.RemoveAll(known =>
                known == pointer || (known.StartsWith(pointer, StringComparison.Ordinal) && known.AsSpan(pointer.Length).StartsWith("/"))
            );
        }
    }
}
