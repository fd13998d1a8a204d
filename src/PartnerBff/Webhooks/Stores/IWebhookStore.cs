using Bff.Audit;
using Bff.State;

namespace PartnerBff.Webhooks.Stores;

/// <summary>What the audit log says of a change: made of the endpoint as it was and as it becomes.</summary>
internal delegate IReadOnlyList<AuditEntry> EndpointAudit(WebhookEndpoint before, WebhookEndpoint after);

/// <summary>
/// Endpoints and what is on its way to them. Deliveries of each endpoint wait in a line of their own; an instance that claims one has it
/// for a while, after which any instance may claim it. An id says nothing about whose something is: every step that an owner asks for
/// checks the owner first. All members throw <see cref="StoreUnavailableException"/> while Redis is away.
/// </summary>
internal interface IWebhookStore
{
    /// <summary>Every owner who has ever had an endpoint.</summary>
    Task<IReadOnlyList<string>> Owners(CancellationToken cancellation);

    /// <summary>The owner's endpoints, oldest first.</summary>
    Task<IReadOnlyList<WebhookEndpoint>> List(string owner, CancellationToken cancellation);

    Task<WebhookEndpoint?> Find(string owner, string id, CancellationToken cancellation);

    Task Add(WebhookEndpoint endpoint, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null);

    /// <summary>Changes it in one step, however many do so at the same time; null when it is not there.</summary>
    Task<WebhookEndpoint?> Change(
        string owner,
        string id,
        Func<WebhookEndpoint, WebhookEndpoint> change,
        CancellationToken cancellation,
        EndpointAudit? audit = null
    );

    /// <summary>Forgets it and what was on its way to it; false when it is not there.</summary>
    Task<bool> Delete(string owner, string id, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null);

    /// <summary>
    /// Begins deliveries, due at once. One that is there already is left as it is, and one whose endpoint is gone is not begun.
    /// </summary>
    Task Begin(IReadOnlyCollection<WebhookDelivery> deliveries, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Endpoints with something due, the longest waiting first.</summary>
    Task<IReadOnlyList<string>> Due(DateTimeOffset now, int count, CancellationToken cancellation);

    /// <summary>Takes due deliveries of the endpoint, at most <paramref name="count"/>.</summary>
    Task<IReadOnlyList<WebhookDelivery>> Claim(
        string endpointId,
        DateTimeOffset now,
        TimeSpan lease,
        int count,
        CancellationToken cancellation
    );

    /// <summary>
    /// Notes where a claimed delivery stands; without <see cref="WebhookDelivery.NextAttemptAt"/> it is over. Notes nothing when the claim
    /// is over, because another instance has claimed the delivery since or its endpoint is gone. Returns since when its endpoint has only
    /// failed, null when it has not.
    /// </summary>
    /// <param name="delivery">As it is now, with the <see cref="WebhookDelivery.HeldUntil"/> of its claim.</param>
    /// <param name="succeeded">What came of an attempt; null: there was none.</param>
    /// <param name="now">The time.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    Task<DateTimeOffset?> Note(WebhookDelivery delivery, bool? succeeded, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>
    /// Makes a delivery due again that no instance is sending; false when one is, or it has changed since it was read, or its endpoint is
    /// gone.
    /// </summary>
    /// <param name="delivery">As it is from now on.</param>
    /// <param name="due">When it was due as it was read; null: it was over.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    Task<bool> Reopen(WebhookDelivery delivery, DateTimeOffset? due, CancellationToken cancellation);

    Task<WebhookDelivery?> FindDelivery(string id, CancellationToken cancellation);

    /// <summary>The endpoint's deliveries, newest first, after skipping some.</summary>
    Task<IReadOnlyList<WebhookDelivery>> Deliveries(string endpointId, int skip, int count, CancellationToken cancellation);
}
