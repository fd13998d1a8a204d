using System.Text.Json;
using System.Text.Json.Serialization;
using Bff.Requests;

namespace Bff.Tenants;

/// <summary>Status of a request for another plan.</summary>
public enum PlanChangeStatus
{
    /// <summary>Not decided yet.</summary>
    [JsonStringEnumMemberName("pending")]
    Pending,

    /// <summary>Approved: the tenant has the plan.</summary>
    [JsonStringEnumMemberName("approved")]
    Approved,

    /// <summary>Declined: the tenant keeps its former plan.</summary>
    [JsonStringEnumMemberName("declined")]
    Declined,
}

/// <summary>A tenant's latest request for another plan.</summary>
/// <param name="Id">The request's id, unique per request.</param>
/// <param name="Tenant">The tenant that asks for the plan.</param>
/// <param name="PreviousPlan">The tenant's plan before the change.</param>
/// <param name="Plan">The plan that the tenant asks for.</param>
/// <param name="RequestedAt">When the request was made.</param>
/// <param name="RequestedBy">Subject of the person who made the request.</param>
public sealed record PlanChange(string Id, string Tenant, string PreviousPlan, string Plan, DateTimeOffset RequestedAt, string RequestedBy)
{
    /// <summary>Status of the request.</summary>
    public PlanChangeStatus Status { get; init; }

    /// <summary>Note to the tenant about the decision.</summary>
    public string? Note { get; init; }

    /// <summary>When the request was decided.</summary>
    public DateTimeOffset? DecidedAt { get; init; }

    internal static PlanChange Read(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize(json, PlanChangeJson.Default.PlanChange)!;

    internal byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, PlanChangeJson.Default.PlanChange);
}

/// <summary>A page of requests, ordered by tenant.</summary>
internal sealed record PlanChangePage(IReadOnlyList<PlanChange> Data, bool HasMore, string? NextCursor);

/// <summary>The body of a decision.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record PlanDecision(string? Decision, string? Note);

/// <summary>The data of the event <c>plan.changed</c>.</summary>
internal sealed record PlanChanged(
    [property: JsonPropertyName("plan")] string Plan,
    [property: JsonPropertyName("previous_plan")] string PreviousPlan,
    [property: JsonPropertyName("changed_at")] DateTimeOffset ChangedAt
);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    Converters = [typeof(UtcTimestamp)]
)]
[JsonSerializable(typeof(PlanChange))]
[JsonSerializable(typeof(PlanChangePage))]
[JsonSerializable(typeof(PlanDecision))]
[JsonSerializable(typeof(PlanChanged))]
internal sealed partial class PlanChangeJson : JsonSerializerContext;
