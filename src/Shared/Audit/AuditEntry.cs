using System.Text.Json;
using System.Text.Json.Serialization;
using Bff.Requests;

namespace Bff.Audit;

/// <summary>One change, and who made it: never a secret, a key or an e-mail address.</summary>
/// <param name="Id">Begins with the time, so that entries sort by it.</param>
/// <param name="At">When the change was asked for.</param>
/// <param name="Actor"><c>user:&lt;subject&gt;</c>, <c>client:&lt;id&gt;</c> or <c>key:&lt;id&gt;</c>.</param>
/// <param name="Tenant">Whose thing was changed; null: no tenant's.</param>
/// <param name="Action">Such as <c>key.created</c>.</param>
/// <param name="Target">The id of what was changed.</param>
/// <param name="Before">What it was, where it was there.</param>
/// <param name="After">What it is now, where it is there.</param>
/// <param name="RequestId">Of the request that changed it.</param>
public sealed record AuditEntry(
    string Id,
    DateTimeOffset At,
    string Actor,
    string? Tenant,
    string Action,
    string Target,
    JsonElement? Before,
    JsonElement? After,
    string? RequestId
);

/// <summary>A page of the audit log, newest first.</summary>
internal sealed record AuditPage(IReadOnlyList<AuditEntry> Data, bool HasMore, string? NextCursor);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(UtcTimestamp)]
)]
[JsonSerializable(typeof(AuditEntry))]
[JsonSerializable(typeof(IReadOnlyList<AuditEntry>))]
[JsonSerializable(typeof(AuditPage))]
internal sealed partial class AuditJson : JsonSerializerContext;
