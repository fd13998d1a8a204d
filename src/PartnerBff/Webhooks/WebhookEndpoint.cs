using System.Text.Json.Serialization;

namespace PartnerBff.Webhooks;

/// <summary>A secret in its stored form.</summary>
/// <param name="Box">The secret, sealed with the instances' shared keys.</param>
/// <param name="Until">When it stops signing; null for the current one.</param>
internal sealed record WebhookSecret(byte[] Box, DateTimeOffset? Until);

/// <summary>An endpoint to which a partner wants events sent.</summary>
internal sealed record WebhookEndpoint
{
    public required string Id { get; init; }

    /// <summary>The owner; see <see cref="WebhookOwner"/>.</summary>
    public required string Owner { get; init; }

    public required string Url { get; init; }

    public required IReadOnlyList<string> Types { get; init; }

    public string? Description { get; init; }

    public bool Enabled { get; init; } = true;

    /// <summary>When it was last enabled again; earlier failures do not count.</summary>
    public DateTimeOffset? EnabledAt { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The secrets, the current one first.</summary>
    public required IReadOnlyList<WebhookSecret> Secrets { get; init; }

    public WebhookEndpoint Switch(bool enabled, DateTimeOffset now) =>
        this with
        {
            Enabled = enabled,
            EnabledAt = enabled && !Enabled ? now : EnabledAt,
        };

    public bool Wants(string type) => Enabled && EventTypes.Match(Types, type);
}

/// <summary>Names the owners of endpoints; test keys see nothing live.</summary>
internal static class WebhookOwner
{
    private const string LivePrefix = "live:";

    public static string Live(string tenant) => LivePrefix + tenant;

    /// <summary>Returns the tenant whose events an owner gets; null for test keys, which get none.</summary>
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

/// <summary>One attempt to deliver.</summary>
/// <param name="At">When the attempt started.</param>
/// <param name="StatusCode">The answer's status; null without an answer.</param>
/// <param name="LatencyMs">Time until the answer or the failure, in milliseconds.</param>
/// <param name="Response">The first 1 KiB of the answer, or the reason why there is none.</param>
internal sealed record DeliveryAttempt(DateTimeOffset At, int? StatusCode, int LatencyMs, string? Response);

/// <summary>An attempt outside of the schedule, which the partner requested.</summary>
/// <param name="ResumesAt">When the schedule continues if the attempt fails; null if the schedule was finished.</param>
internal sealed record ByHand(DateTimeOffset? ResumesAt);

/// <summary>
/// The delivery of one event to one endpoint. Its id is also the <c>webhook-id</c>: one per event and endpoint, including repeats.
/// </summary>
internal sealed record WebhookDelivery
{
    public const int AttemptsKept = 20;

    public required string Id { get; init; }

    public required string Owner { get; init; }

    public required string EndpointId { get; init; }

    public required string EventId { get; init; }

    public required string Type { get; init; }

    /// <summary>The signed body.</summary>
    public required byte[] Body { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DeliveryStatus Status { get; init; }

    /// <summary>Number of attempts of the schedule so far; a manual attempt does not count.</summary>
    public int Tries { get; init; }

    /// <summary>Set if the next attempt is one that the partner requested.</summary>
    public ByHand? ByHand { get; init; }

    public IReadOnlyList<DeliveryAttempt> Attempts { get; init; } = [];

    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>End of the claim; the store uses it to distinguish a claim from a later one.</summary>
    [JsonIgnore]
    public DateTimeOffset? HeldUntil { get; init; }
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(WebhookEndpoint))]
[JsonSerializable(typeof(WebhookDelivery))]
internal sealed partial class WebhookStoreJson : JsonSerializerContext;
