using System.Text.Json;
using System.Text.Json.Serialization;
using Bff.Requests;

namespace Bff.Audit;

/// <summary>One change and who made it. It never contains a secret, a key or an e-mail address.</summary>
/// <param name="Id">The entry's id. It begins with the time, so that entries sort by it.</param>
/// <param name="At">When the change was requested.</param>
/// <param name="Actor"><c>user:&lt;subject&gt;</c>, <c>client:&lt;id&gt;</c>, <c>key:&lt;id&gt;</c> or <c>nobody</c>.</param>
/// <param name="Tenant">The tenant that owns the changed object; null for none.</param>
/// <param name="Action">The kind of change, such as <c>key.created</c>.</param>
/// <param name="Target">The id of the changed object.</param>
/// <param name="Before">The object's facts before the change; null when it did not exist.</param>
/// <param name="After">The object's facts after the change; null when it no longer exists.</param>
/// <param name="RequestId">The id of the request that made the change.</param>
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
