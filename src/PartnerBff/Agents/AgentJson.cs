using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace PartnerBff.Agents;

/// <summary>The members of a JSON-RPC 2.0 message that are read before the protocol library reads the message.</summary>
/// <param name="Method">Name of the method; null in an answer.</param>
/// <param name="Id">Id that the client gave the message: a string or a number.</param>
/// <param name="Params">Parameters, whose form depends on the method.</param>
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
