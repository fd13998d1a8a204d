using System.Text.Json.Serialization;
using PartnerBff.Webhooks;

namespace PartnerBff.Features.Webhooks;

/// <summary>A new endpoint.</summary>
/// <param name="Url">An https address on the public internet.</param>
/// <param name="Types">Names of types, <c>order.*</c> or <c>*</c>; by default all types.</param>
/// <param name="Description">The partner's own note.</param>
public sealed record WebhookEndpointRequest(string? Url, IReadOnlyList<string>? Types = null, string? Description = null);

/// <summary>Changes to an endpoint; absent members stay unchanged.</summary>
public sealed record WebhookEndpointChange
{
    public string? Url { get; set; }

    public IReadOnlyList<string>? Types { get; set; }

    /// <summary>The partner's own note; null removes it, whereas an absent member keeps it.</summary>
    public string? Description
    {
        get;
        set => (field, IsDescriptionGiven) = (value, true);
    }

    public bool? Enabled { get; set; }

    [JsonIgnore]
    public bool IsDescriptionGiven { get; private set; }
}

/// <summary>How to rotate a secret.</summary>
/// <param name="OverlapSeconds">How long both secrets sign: 0 to 2 592 000, default 86 400.</param>
public sealed record RotateSecretRequest(int? OverlapSeconds = null);

/// <summary>An endpoint.</summary>
public sealed record WebhookEndpointContract(
    string Id,
    string Url,
    IReadOnlyList<string> Types,
    string? Description,
    bool Enabled,
    DateTimeOffset CreatedAt
)
{
    internal static WebhookEndpointContract Of(WebhookEndpoint e) => new(e.Id, e.Url, e.Types, e.Description, e.Enabled, e.CreatedAt);
}

/// <summary>An endpoint with its secret, which is shown only once.</summary>
public sealed record WebhookEndpointWithSecret(
    string Id,
    string Url,
    IReadOnlyList<string> Types,
    string? Description,
    bool Enabled,
    string Secret,
    DateTimeOffset CreatedAt
)
{
    internal static WebhookEndpointWithSecret Of(WebhookEndpoint e, string secret) =>
        new(e.Id, e.Url, e.Types, e.Description, e.Enabled, secret, e.CreatedAt);
}

/// <summary>One attempt to deliver.</summary>
/// <param name="At">When the attempt started.</param>
/// <param name="StatusCode">The answer's status; null without an answer.</param>
/// <param name="LatencyMs">Time until the answer or the failure, in milliseconds.</param>
/// <param name="Response">The first 1 KiB of the answer, or the reason why there is none.</param>
public sealed record DeliveryAttemptContract(DateTimeOffset At, int? StatusCode, int LatencyMs, string? Response);

/// <summary>The delivery of one event to one endpoint.</summary>
public sealed record DeliveryContract(
    string Id,
    string EventId,
    string Type,
    string Status,
    IReadOnlyList<DeliveryAttemptContract> Attempts,
    DateTimeOffset? NextAttemptAt
)
{
    internal static DeliveryContract Of(WebhookDelivery d) =>
        new(
            d.Id,
            d.EventId,
            d.Type,
            d.Status switch
            {
                DeliveryStatus.Pending => "pending",
                DeliveryStatus.Delivered => "delivered",
                _ => "failed",
            },
            [.. d.Attempts.Select(a => new DeliveryAttemptContract(a.At, a.StatusCode, a.LatencyMs, a.Response))],
            d.NextAttemptAt
        );
}
