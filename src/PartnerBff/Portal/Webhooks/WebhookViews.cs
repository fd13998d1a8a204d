using PartnerBff.Features.Webhooks;

namespace PartnerBff.Portal.Webhooks;

/// <summary>An endpoint and its mode.</summary>
public sealed record WebhookRow(WebhookEndpointContract Endpoint, bool IsTest)
{
    public string Events => Endpoint.Types is ["*"] ? "all" : string.Join(", ", Endpoint.Types);
}

/// <summary>The tenant's endpoints.</summary>
public sealed record WebhookList(IReadOnlyList<WebhookRow> Endpoints, string? Notice);

/// <summary>The form for a new endpoint.</summary>
public sealed record WebhookForm(string Url, string Types, string Description, string Mode, IReadOnlyDictionary<string, string[]> Errors);

/// <summary>A new secret, which is shown only once.</summary>
public sealed record MadeSecret(WebhookRow Row, string Secret, bool IsRotated);

/// <summary>An endpoint and its deliveries.</summary>
public sealed record WebhookDetail(WebhookRow Row, IReadOnlyList<DeliveryContract> Deliveries, int Skipped, bool HasMore, string? Notice);
