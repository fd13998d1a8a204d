using System.Text.Json.Serialization;

namespace Bff.Sessions.Endpoints;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SignedInUser))]
[JsonSerializable(typeof(SessionList))]
internal sealed partial class SessionAnswersJson : JsonSerializerContext;
