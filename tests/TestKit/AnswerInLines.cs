using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;

namespace Bff.TestKit;

/// <summary>
/// A progressive answer as a client sees it: its lines as they arrive, and the answer that results from them by RFC 7396, implemented here
/// independently of the product.
/// </summary>
public sealed class AnswerInLines : IDisposable
{
    public const string MediaType = "application/x-ndjson";
    private readonly StreamReader _reader;

    private AnswerInLines(HttpResponseMessage response, Stream body)
    {
        Response = response;
        _reader = new StreamReader(body, Encoding.UTF8);
    }

    public HttpResponseMessage Response { get; }

    /// <summary>All lines so far.</summary>
    public List<JsonObject> Lines { get; } = [];

    /// <summary>The resulting answer, including the members that are null according to <c>_meta.nulls</c>.</summary>
    public JsonObject Answer { get; private set; } = [];

    /// <summary>Names of the parts that are still pending.</summary>
    public IEnumerable<string> Pending => Names("pending");

    /// <summary>Requests lines and waits only for the head.</summary>
    public static async Task<AnswerInLines> Ask(HttpClient client, HttpRequestMessage request)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(request);
        if (request.Headers.Accept.Count == 0 && !request.Headers.Contains("Prefer"))
        {
            request.Headers.Accept.ParseAdd(MediaType);
        }

        return await Read(await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead));
    }

    /// <summary>Reads a response of which the client has received only the head.</summary>
    public static async Task<AnswerInLines> Read(HttpResponseMessage response)
    {
        ArgumentNullException.ThrowIfNull(response);
        var body = await response.Content.ReadAsStreamAsync();
        return new(
            response,
            response.Content.Headers.ContentEncoding.SingleOrDefault() switch
            {
                "br" => new BrotliStream(body, CompressionMode.Decompress),
                "gzip" => new GZipStream(body, CompressionMode.Decompress),
                _ => body,
            }
        );
    }

    /// <summary>Reads a line; returns false if none is left.</summary>
    public async Task<bool> Next()
    {
        if (await _reader.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60)) is not { } text)
        {
            return false;
        }

        var line = JsonNode.Parse(text)!.AsObject();
        Lines.Add(line);
        Answer = Lines.Count == 1 ? line.DeepClone().AsObject() : Merge(Answer, line)!.AsObject();
        foreach (var pointer in Names("nulls"))
        {
            SetNull(Answer, pointer);
        }

        return true;
    }

    /// <summary>Reads until the part is no longer pending.</summary>
    public async Task Until(string part)
    {
        while (Pending.Contains(part))
        {
            if (!await Next())
            {
                throw new InvalidOperationException($"{part} never came: {Answer.ToJsonString()}");
            }
        }
    }

    /// <summary>Reads to the end.</summary>
    public async Task<JsonObject> All()
    {
        while (await Next()) { }

        return Answer;
    }

    /// <summary>Applies a merge patch (RFC 7396, section 2).</summary>
    public static JsonNode? Merge(JsonNode? target, JsonNode? patch)
    {
        if (patch is not JsonObject members)
        {
            return patch?.DeepClone();
        }

        var result = target as JsonObject ?? [];
        foreach (var (name, value) in members)
        {
            if (value is null)
            {
                result.Remove(name);
            }
            else
            {
                var was = result[name];
                result.Remove(name);
                result[name] = Merge(was, value);
            }
        }

        return result;
    }

    /// <summary>Sets the member that a JSON Pointer (RFC 6901) names to null.</summary>
    public static void SetNull(JsonObject answer, string at)
    {
        ArgumentNullException.ThrowIfNull(answer);
        ArgumentNullException.ThrowIfNull(at);
        var names = at[1..]
            .Split('/')
            .Select(n => n.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))
            .ToList();
        names.Take(names.Count - 1).Aggregate(answer, (inner, name) => inner[name]!.AsObject())[names[^1]] = null;
    }

    /// <summary>
    /// Returns an answer without what differs each time: durations, whether a part was cached meanwhile, and the notes of a progressive
    /// answer. Members are sorted by name.
    /// </summary>
    public static string Essence(JsonObject answer)
    {
        ArgumentNullException.ThrowIfNull(answer);
        var copy = answer.DeepClone().AsObject();
        if (copy["_meta"] is JsonObject meta)
        {
            meta.Remove("nulls");
            Forget(meta);
        }

        return Sorted(copy)!.ToJsonString();
    }

    public void Dispose()
    {
        _reader.Dispose();
        Response.Dispose();
    }

    private List<string> Names(string member) => Answer["_meta"]?[member] is JsonArray names ? [.. names.Select(n => (string)n!)] : [];

    private static void Forget(JsonObject meta)
    {
        foreach (var name in (string[])["totalLatencyMs", "latencyMs", "ageSeconds"])
        {
            meta.Remove(name);
        }

        if ((string?)meta["status"] == "cached")
        {
            meta["status"] = "live";
        }

        foreach (var inner in meta.Select(m => m.Value).OfType<JsonObject>())
        {
            Forget(inner);
        }
    }

    private static JsonNode? Sorted(JsonNode? node) =>
        node switch
        {
            JsonObject members => new JsonObject(
                members.OrderBy(m => m.Key, StringComparer.Ordinal).Select(m => KeyValuePair.Create(m.Key, Sorted(m.Value)))
            ),
            JsonArray items => new JsonArray([.. items.Select(Sorted)]),
            _ => node?.DeepClone(),
        };
}
