using System.Text.Json.Serialization;

namespace PartnerBff.Requests;

/// <summary>One request of a partner for the portal. It names the route, not what was requested.</summary>
/// <param name="Id">The <c>X-Request-Id</c>.</param>
/// <param name="At">When the request arrived.</param>
/// <param name="Method">The HTTP method.</param>
/// <param name="Route">Route such as <c>/v1/orders/{id}</c>.</param>
/// <param name="Status">Status of the answer.</param>
/// <param name="LatencyMs">Time until the end of the answer, in milliseconds.</param>
/// <param name="KeyId">Id of the API key; null for a token.</param>
public sealed record LoggedRequest(string Id, DateTimeOffset At, string Method, string Route, int Status, double LatencyMs, string? KeyId);

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LoggedRequest))]
internal sealed partial class LoggedRequestJson : JsonSerializerContext;
