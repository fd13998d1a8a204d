using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Bff.Dev.Upstreams.Faults;

/// <summary>Damages bodies.</summary>
internal static class Harm
{
    private const int SwellBytes = 8 * 1024 * 1024;
    private static readonly Lazy<byte[]> Padding = new(() =>
    {
        var padding = new byte[SwellBytes];
        Array.Fill(padding, (byte)'x');
        return padding;
    });

    public static readonly byte[] Garbage =
    [
        .. "{]\0\u001f"u8,
        0xff,
        0xfe,
        0xc0,
        0x80,
        .. "}} NaN <%"u8,
        .. Enumerable.Range(0, 200).Select(i => (byte)(i * 151)),
    ];

    public static readonly byte[] Html =
        "<!doctype html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1><p>upstream-7.internal</p></body></html>"u8.ToArray();

    public static readonly byte[] GraphQLError =
        "{\"data\":null,\"errors\":[{\"message\":\"price book unavailable\",\"path\":[\"pricing\"],\"extensions\":{\"code\":\"INTERNAL\"}}]}"u8.ToArray();

    /// <summary>Makes the document far too large, but keeps it valid. Returned in pieces, because most of it is the same for all.</summary>
    public static ReadOnlyMemory<byte>[] Swell(byte[] body, SampleService service)
    {
        if (service is Catalog)
            return SwellFrame(body);
        return body is [(byte)'{', (byte)'"', ..]
            ? ["{\"padding\":\""u8.ToArray(), Padding.Value, "\","u8.ToArray(), body.AsMemory(1)]
            : [body, Padding.Value];
    }

    public static byte[] SwapTypes(byte[] body, SampleService service)
    {
        // A frame of the right length whose message has a number as id: field 1 as a varint.
        if (service is Catalog)
            return [.. FrameHead(2), 0x08, 0x07];
        if (service is Media)
            return body;
        try
        {
            return JsonSerializer.SerializeToUtf8Bytes(Swap(JsonNode.Parse(body)), ControlJson.Default.JsonNode);
        }
        catch (JsonException)
        {
            return body;
        }
    }

    public static byte[] FrameHead(int length)
    {
        var head = new byte[5];
        BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(1), length);
        return head;
    }

    private static JsonNode? Swap(JsonNode? node) =>
        node switch
        {
            JsonObject members => new JsonObject(members.Select(m => KeyValuePair.Create(m.Key, Swap(m.Value)))),
            JsonArray items => new JsonArray([.. items.Select(Swap)]),
            JsonValue value when value.GetValueKind() == JsonValueKind.String => JsonValue.Create(7),
            JsonValue value when value.GetValueKind() == JsonValueKind.Number => JsonValue.Create("seven"),
            JsonValue => new JsonArray(),
            _ => null,
        };

    private static ReadOnlyMemory<byte>[] SwellFrame(byte[] frame)
    {
        if (frame.Length < 5)
            return [frame];
        // Field 1000, length-delimited: unknown to every reader, so readers must skip it.
        byte[] tag = [0xc2, 0x3e, .. Varint(SwellBytes)];
        return [FrameHead(frame.Length - 5 + tag.Length + SwellBytes), frame.AsMemory(5), tag, Padding.Value];
    }

    private static IEnumerable<byte> Varint(int number)
    {
        for (; number > 127; number >>= 7)
            yield return (byte)(number | 0x80);
        yield return (byte)number;
    }
}
