using System.Text.Json;
using System.Text.Json.Serialization;
using Bff.Requests;

namespace Bff.Tenants;

/// <summary>What became of a request for another plan.</summary>
public enum PlanChangeStatus
{
    /// <summary>Not decided yet.</summary>
    [JsonStringEnumMemberName("pending")]
    Pending,

    /// <summary>The tenant has the plan.</summary>
    [JsonStringEnumMemberName("approved")]
    Approved,

    /// <summary>The tenant has not got it.</summary>
    [JsonStringEnumMemberName("declined")]
    Declined,
}

/// <summary>A tenant's latest request for another plan.</summary>
/// <param name="Id">Its own, one per request.</param>
/// <param name="Tenant">Who wants it.</param>
/// <param name="PreviousPlan">The plan that the tenant had.</param>
/// <param name="Plan">The plan that it wants.</param>
/// <param name="RequestedAt">When it was asked for.</param>
/// <param name="RequestedBy">The person's subject.</param>
public sealed record PlanChange(string Id, string Tenant, string PreviousPlan, string Plan, DateTimeOffset RequestedAt, string RequestedBy)
{
    /// <summary>What became of it.</summary>
    public PlanChangeStatus Status { get; init; }

    /// <summary>What the tenant is told of the decision.</summary>
    public string? Note { get; init; }

    /// <summary>When it was decided.</summary>
    public DateTimeOffset? DecidedAt { get; init; }

    internal static PlanChange Read(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize(json, PlanChangeJson.Default.PlanChange)!;

    internal byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, PlanChangeJson.Default.PlanChange);
}

/// <summary>A page of them, by tenant.</summary>
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
