using Refit;

namespace PartnerBff.Webhooks.Delivery;

/// <summary>A partner's endpoint, as Standard Webhooks 1.0 has it.</summary>
internal interface IReceiver
{
    /// <summary>Gives the answer's head as soon as it is there; the caller reads of the body what it wants, and disposes of it.</summary>
    [Post("")]
    [Headers("User-Agent: Bff-Webhooks/1.0")]
    Task<HttpResponseMessage> Deliver(
        [Url] string url,
        [Body] HttpContent body,
        [Header("webhook-id")] string id,
        [Header("webhook-timestamp")] long timestamp,
        [Header("webhook-signature")] string signature,
        CancellationToken cancellation
    );
}
