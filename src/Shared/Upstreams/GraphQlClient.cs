using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Bff.Upstreams;

/// <summary>Sends GraphQL queries (reads alone) to an upstream's <c>/graphql</c>.</summary>
/// <param name="upstream">Where to.</param>
public sealed class GraphQlClient(UpstreamClient upstream)
{
    /// <summary>Sends a query; an <c>errors</c> array makes the answer a failure, whatever its status (GraphQL over HTTP).</summary>
    /// <param name="query">The document; a constant.</param>
    /// <param name="variables">Serialised variables.</param>
    /// <param name="type">Metadata of the whole answer, <c>data</c> included.</param>
    /// <param name="call">For whom, and until when.</param>
    public async ValueTask<UpstreamAnswer<T>> Query<T>(string query, ReadOnlyMemory<byte> variables, JsonTypeInfo<T> type, CallContext call)
        where T : IGraphQlAnswer
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("query", query);
            json.WritePropertyName("variables");
            json.WriteRawValue(variables.Span);
            json.WriteEndObject();
        }

        var body = buffer.WrittenSpan.ToArray();
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri("graphql", UriKind.Relative))
        {
            Content = new ByteArrayContent(body) { Headers = { ContentType = new("application/json") } },
        };
        request.Options.Set(Repeatable.ReadsOnly, true);
        var answer = await upstream.Read(Encoding.UTF8.GetString(body), request, type, call);
        return answer is { IsOk: true, Value.HasErrors: true } ? UpstreamAnswer<T>.No(UpstreamOutcome.Failed, answer.Status) : answer;
    }
}

/// <summary>What every GraphQL answer has.</summary>
public interface IGraphQlAnswer
{
    /// <summary>True when the <c>errors</c> array is there and not empty.</summary>
    bool HasErrors { get; }
}
