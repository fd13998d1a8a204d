using System.Runtime.InteropServices;
using System.Text.Json;

namespace Bff.Composition.Progressive;

/// <summary>
/// Writes a JSON Merge Patch (RFC 7396): what makes one document another. Null in a patch removes a member, so that a patch cannot say
/// that a member is null: where one has become null, its JSON Pointer (RFC 6901) is noted beside the patch. Values inside of arrays are as
/// they are: a patch replaces an array as a whole.
/// </summary>
/// <param name="json">Where the patch is written.</param>
/// <param name="nulls">
/// Pointers to the members that are null and that no patch could say so; brought up to date. Null: they are not recorded.
/// </param>
internal sealed class MergePatch(Utf8JsonWriter json, List<string>? nulls)
{
    private readonly List<string> _path = [];

    /// <summary>Writes the members of an object that differ; between the braces of the patch.</summary>
    /// <param name="before">As the client has it; undefined: it has nothing.</param>
    /// <param name="now">As it is to become.</param>
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

    /// <summary>What was noted of the member, or below it, holds no more.</summary>
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
