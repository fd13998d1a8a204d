using System.Text.Json;
using Bff.Audit;
using PartnerBff.Webhooks;
using PartnerBff.Webhooks.Stores;

namespace PartnerBff.Features.Webhooks;

/// <summary>
/// Builds the audit entries about endpoints. They name only the host of an address, because partners put secrets into the rest, and leave
/// out partners' own notes.
/// </summary>
internal static class WebhookAudit
{
    public static IReadOnlyList<AuditEntry> Created(ChangedBy by, string tenant, WebhookEndpoint made) =>
        [by.Entry("webhook.created", tenant, made.Id, null, Facts(made))];

    public static IReadOnlyList<AuditEntry> Deleted(ChangedBy by, string tenant, string id) => [by.Entry("webhook.deleted", tenant, id)];

    public static EndpointAudit Changed(ChangedBy by, string tenant) =>
        (before, after) => [by.Entry("webhook.changed", tenant, after.Id, Facts(before), Facts(after))];

    public static EndpointAudit SecretRotated(ChangedBy by, string tenant) =>
        (_, after) =>
            [
                by.Entry(
                    "webhook.secret_rotated",
                    tenant,
                    after.Id,
                    null,
                    AuditFacts.Of(("previous_until", after.Secrets.Skip(1).FirstOrDefault()?.Until))
                ),
            ];

    private static JsonElement Facts(WebhookEndpoint endpoint) =>
        AuditFacts.Of(
            ("mode", WebhookOwner.LiveTenant(endpoint.Owner) is null ? "test" : "live"),
            ("host", Uri.TryCreate(endpoint.Url, UriKind.Absolute, out var url) ? url.Host : null),
            ("types", endpoint.Types),
            ("enabled", endpoint.Enabled)
        );
}
