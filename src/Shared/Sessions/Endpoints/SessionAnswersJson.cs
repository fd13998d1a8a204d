using System.Text.Json.Serialization;
using Bff.Requests;

namespace Bff.Sessions.Endpoints;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(UtcTimestamp)])]
[JsonSerializable(typeof(SignedInUser))]
[JsonSerializable(typeof(SessionList))]
internal sealed partial class SessionAnswersJson : JsonSerializerContext;
