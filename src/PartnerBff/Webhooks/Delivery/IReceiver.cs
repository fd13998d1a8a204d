using Refit;

namespace PartnerBff.Webhooks.Delivery;

/// <summary>A partner's endpoint according to Standard Webhooks 1.0.</summary>
internal interface IReceiver
{
    /// <summary>Returns as soon as the answer's head has arrived; the caller reads the body and disposes of the answer.</summary>
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
