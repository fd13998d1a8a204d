using System.Diagnostics.Metrics;

namespace PartnerBff.Webhooks.Delivery;

/// <summary>
/// Counts <c>bff.webhooks.attempts</c> by <c>outcome</c>: success, rejected (an answer other than 2xx), timeout, unreachable, refused (the
/// address is not public).
/// </summary>
internal sealed class WebhookMetrics(IMeterFactory meters)
{
    private readonly Counter<long> _attempts = meters
        .Create("Bff")
        .CreateCounter<long>("bff.webhooks.attempts", "{attempt}", "Attempts to deliver webhooks");

    public void Attempt(string outcome) => _attempts.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
}
