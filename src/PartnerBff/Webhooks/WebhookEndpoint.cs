using System.Text.Json.Serialization;

namespace PartnerBff.Webhooks;

/// <summary>A secret as it is stored.</summary>
/// <param name="Box">Sealed with the instances' shared keys.</param>
/// <param name="Until">After this it signs no more; null: the current one.</param>
internal sealed record WebhookSecret(byte[] Box, DateTimeOffset? Until);

/// <summary>Where a partner wants events sent to.</summary>
internal sealed record WebhookEndpoint
{
    public required string Id { get; init; }

    /// <summary>See <see cref="WebhookOwner"/>.</summary>
    public required string Owner { get; init; }

    public required string Url { get; init; }

    public required IReadOnlyList<string> Types { get; init; }

    public string? Description { get; init; }

    public bool Enabled { get; init; } = true;

    /// <summary>When it was last brought back; failures from before do not count.</summary>
    public DateTimeOffset? EnabledAt { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The current one first.</summary>
    public required IReadOnlyList<WebhookSecret> Secrets { get; init; }

    public WebhookEndpoint Switch(bool enabled, DateTimeOffset now) =>
        this with
        {
            Enabled = enabled,
            EnabledAt = enabled && !Enabled ? now : EnabledAt,
        };

    public bool Wants(string type) => Enabled && EventTypes.Match(Types, type);
}

/// <summary>Whose an endpoint is: test keys see nothing live.</summary>
internal static class WebhookOwner
{
    private const string LivePrefix = "live:";

    public static string Live(string tenant) => LivePrefix + tenant;

    /// <summary>Of an owner whom events are for; null for a test key's, which get none.</summary>
    public static string? LiveTenant(string owner) =>
        owner.StartsWith(LivePrefix, StringComparison.Ordinal) ? owner[LivePrefix.Length..] : null;

    public static string Of(Bff.Requests.Caller caller) => (caller.IsSandbox ? "test:" : LivePrefix) + caller.Tenant;
}

internal enum DeliveryStatus
{
    Pending,
    Delivered,
    Failed,
}

/// <summary>One attempt.</summary>
/// <param name="At">When it began.</param>
/// <param name="StatusCode">Null: there was no answer.</param>
/// <param name="LatencyMs">To the answer, or to giving up.</param>
/// <param name="Response">The first 1 KiB of the answer, or why there was none.</param>
internal sealed record DeliveryAttempt(DateTimeOffset At, int? StatusCode, int LatencyMs, string? Response);

/// <summary>An attempt out of turn.</summary>
/// <param name="ResumesAt">When the schedule goes on if it fails; null: the schedule was over.</param>
internal sealed record ByHand(DateTimeOffset? ResumesAt);

/// <summary>
/// One event on its way to one endpoint. Its id is also the <c>webhook-id</c>: one per event and endpoint, whatever is repeated.
/// </summary>
internal sealed record WebhookDelivery
{
    public const int AttemptsKept = 20;

    public required string Id { get; init; }

    public required string Owner { get; init; }

    public required string EndpointId { get; init; }

    public required string EventId { get; init; }

    public required string Type { get; init; }

    /// <summary>What is sent and signed.</summary>
    public required byte[] Body { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DeliveryStatus Status { get; init; }

    /// <summary>How far the schedule has got; an attempt by hand takes it no further.</summary>
    public int Tries { get; init; }

    /// <summary>The next attempt is one that the partner asked for.</summary>
    public ByHand? ByHand { get; init; }

    public IReadOnlyList<DeliveryAttempt> Attempts { get; init; } = [];

    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>When the claim ends with which an instance has it; by this the store tells a claim from a later one.</summary>
    [JsonIgnore]
    public DateTimeOffset? HeldUntil { get; init; }
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WebhookEndpoint))]
[JsonSerializable(typeof(WebhookDelivery))]
internal sealed partial class WebhookStoreJson : JsonSerializerContext;
