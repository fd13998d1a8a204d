using Bff.State;

namespace PartnerBff.Webhooks.Stores;

/// <summary>
/// Endpoints and what is on its way to them. Deliveries of each endpoint wait in a line of their own; whoever claims one has it for a while, after which it is
/// anybody's again. All members throw <see cref="StoreUnavailableException"/> while Redis is away.
/// </summary>
internal interface IWebhookStore
{
    /// <summary>Every owner who has ever had an endpoint.</summary>
    Task<IReadOnlyList<string>> Owners(CancellationToken cancellation);

    /// <summary>The owner's endpoints, oldest first.</summary>
    Task<IReadOnlyList<WebhookEndpoint>> List(string owner, CancellationToken cancellation);

    Task<WebhookEndpoint?> Find(string owner, string id, CancellationToken cancellation);

    Task Add(WebhookEndpoint endpoint, CancellationToken cancellation);

    /// <summary>Changes it in one step, however many do so at the same time; null when it is not there.</summary>
    Task<WebhookEndpoint?> Change(string owner, string id, Func<WebhookEndpoint, WebhookEndpoint> change, CancellationToken cancellation);

    /// <summary>Forgets it and what was on its way to it; false when it is not there.</summary>
    Task<bool> Delete(string owner, string id, CancellationToken cancellation);

    /// <summary>Begins deliveries, due at once. One that is there already is left as it is.</summary>
    Task Begin(IReadOnlyCollection<WebhookDelivery> deliveries, DateTimeOffset now, CancellationToken cancellation);

    /// <summary>Endpoints with something due, the longest waiting first.</summary>
    Task<IReadOnlyList<string>> Due(DateTimeOffset now, int count, CancellationToken cancellation);

    /// <summary>Takes due deliveries of the endpoint, at most <paramref name="count"/>.</summary>
    Task<IReadOnlyList<WebhookDelivery>> Claim(string endpointId, DateTimeOffset now, TimeSpan lease, int count, CancellationToken cancellation);

    /// <summary>
    /// Notes where a delivery stands; without <see cref="WebhookDelivery.NextAttemptAt"/> it is over. Returns since when its endpoint has only failed, null
    /// when it has not.
    /// </summary>
    /// <param name="delivery">As it is now.</param>
    /// <param name="succeeded">What came of an attempt; null: there was none.</param>
    /// <param name="now">The time.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    Task<DateTimeOffset?> Note(WebhookDelivery delivery, bool? succeeded, DateTimeOffset now, CancellationToken cancellation);

    Task<WebhookDelivery?> FindDelivery(string id, CancellationToken cancellation);

    /// <summary>The endpoint's deliveries, newest first, after skipping some.</summary>
    Task<IReadOnlyList<WebhookDelivery>> Deliveries(string endpointId, int skip, int count, CancellationToken cancellation);
}
