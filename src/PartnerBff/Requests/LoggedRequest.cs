using System.Text.Json.Serialization;

namespace PartnerBff.Requests;

/// <summary>One request of a partner, as the portal shows it. It names the route, not what was asked for.</summary>
/// <param name="Id">Its <c>X-Request-Id</c>.</param>
/// <param name="At">When it arrived.</param>
/// <param name="Method">GET and so on.</param>
/// <param name="Route">Such as <c>/v1/orders/{id}</c>.</param>
/// <param name="Status">Of the answer.</param>
/// <param name="LatencyMs">To the end of the answer.</param>
/// <param name="KeyId">Of the API key that it came with; null for a token.</param>
public sealed record LoggedRequest(string Id, DateTimeOffset At, string Method, string Route, int Status, double LatencyMs, string? KeyId);

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LoggedRequest))]
internal sealed partial class LoggedRequestJson : JsonSerializerContext;
