using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace PartnerBff.Agents;

/// <summary>The members of a message that are read before the protocol library reads it (JSON-RPC 2.0).</summary>
/// <param name="Method">The method; null in an answer.</param>
/// <param name="Id">The client's id of the message: a string or a number.</param>
/// <param name="Params">The parameters, which depend on the method.</param>
internal sealed record AgentMessage(
    string? Method = null,
    JsonElement Id = default,
    JsonElement Params = default,
    JsonElement Jsonrpc = default
);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AgentMessage))]
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class AgentJson : JsonSerializerContext;
