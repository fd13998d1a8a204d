using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace PartnerBff.Agents;

/// <summary>What is looked at of a message before the protocol's own code reads it (JSON-RPC 2.0).</summary>
/// <param name="Method">What is asked for; null in an answer.</param>
/// <param name="Id">The client's name for the message: a string or a number.</param>
/// <param name="Params">Depend on the method.</param>
internal sealed record AgentMessage(string? Method = null, JsonElement Id = default, JsonElement Params = default);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AgentMessage))]
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class AgentJson : JsonSerializerContext;
