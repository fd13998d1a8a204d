using Bff.Audit;
using Bff.State;

namespace PartnerBff.Webhooks.Stores;

/// <summary>Builds the audit entries of a change from the endpoint before and after it.</summary>
internal delegate IReadOnlyList<AuditEntry> EndpointAudit(WebhookEndpoint before, WebhookEndpoint after);

/// <summary>
/// Stores endpoints and their deliveries. Each endpoint has its own queue of deliveries. An instance claims one for a limited time, after
/// which any instance may claim it. Ids prove no ownership: every operation on behalf of an owner checks the owner first. All members throw
/// <see cref="StoreUnavailableException"/> while Redis is unavailable.
/// </summary>
internal interface IWebhookStore
{
    /// <summary>Returns every owner who has ever had an endpoint.</summary>
    Task<IReadOnlyList<string>> Owners(CancellationToken cancellation);

    /// <summary>Returns the owner's endpoints, oldest first.</summary>
    Task<IReadOnlyList<WebhookEndpoint>> List(string owner, CancellationToken cancellation);

    Task<WebhookEndpoint?> Find(string owner, string id, CancellationToken cancellation);

    Task Add(WebhookEndpoint endpoint, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null);

    /// <summary>Changes an endpoint atomically, also under concurrent changes; returns null if it does not exist.</summary>
    Task<WebhookEndpoint?> Change(
        string owner,
        string id,
        Func<WebhookEndpoint, WebhookEndpoint> change,
        CancellationToken cancellation,
        EndpointAudit? audit = null
    );

    /// <summary>Deletes an endpoint and its deliveries; returns false if it does not exist.</summary>
    Task<bool> Delete(string owner, string id, CancellationToken cancellation, IReadOnlyList<AuditEntry>? audit = null);

    /// <summary>
    /// Starts deliveries, due at once. Existing ones stay as they are, and none is started for an endpoint that no longer exists.
    /// </summary>
    Task Begin(IReadOnlyCollection<WebhookDelivery> deliveries, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Returns endpoints with due deliveries, the longest waiting first.</summary>
    Task<IReadOnlyList<string>> Due(DateTimeOffset now, int count, CancellationToken cancellation);

    /// <summary>Claims due deliveries of the endpoint, at most <paramref name="count"/>.</summary>
    Task<IReadOnlyList<WebhookDelivery>> Claim(
        string endpointId,
        DateTimeOffset now,
        TimeSpan lease,
        int count,
        CancellationToken cancellation
    );

    /// <summary>
    /// Records the state of a claimed delivery; without <see cref="WebhookDelivery.NextAttemptAt"/> it is finished. Records nothing if the
    /// claim is no longer valid, because another instance has claimed the delivery since or its endpoint is gone. Returns since when the
    /// endpoint has only failed; null if it has not.
    /// </summary>
    /// <param name="delivery">The new state, with the <see cref="WebhookDelivery.HeldUntil"/> of its claim.</param>
    /// <param name="succeeded">Whether the attempt succeeded; null if there was none.</param>
    /// <param name="now">The current time.</param>
    /// <param name="cancellation">Cancels the wait.</param>
    Task<DateTimeOffset?> Note(WebhookDelivery delivery, bool? succeeded, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>
    /// Makes a delivery due again that no instance is sending. Returns false if one is, if the delivery has changed since it was read, or
    /// if its endpoint is gone.
    /// </summary>
    /// <param name="delivery">The new state.</param>
    /// <param name="due">When the delivery was due when it was read; null if it was finished.</param>
    /// <param name="cancellation">Cancels the wait.</param>
    Task<bool> Reopen(WebhookDelivery delivery, DateTimeOffset? due, CancellationToken cancellation);

    Task<WebhookDelivery?> FindDelivery(string id, CancellationToken cancellation);

    /// <summary>Returns the endpoint's deliveries, newest first, after skipping some.</summary>
    Task<IReadOnlyList<WebhookDelivery>> Deliveries(string endpointId, int skip, int count, CancellationToken cancellation);
}
