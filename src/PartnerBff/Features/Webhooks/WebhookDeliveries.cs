using Bff.Edge;
using Bff.Paging;
using Bff.Requests;
using Microsoft.AspNetCore.Http.HttpResults;
using PartnerBff.Webhooks;
using PartnerBff.Webhooks.Delivery;
using PartnerBff.Webhooks.Stores;

namespace PartnerBff.Features.Webhooks;

/// <summary>Lists deliveries, sends a test event, and repeats a delivery.</summary>
internal static class WebhookDeliveries
{
    private static ReadOnlyMemory<byte> TestData => "{\"message\":\"This is a test.\"}"u8.ToArray();

    public static async Task<IResult> List(
        HttpContext context,
        string id,
        Caller caller,
        IWebhookStore store,
        Cursors cursors,
        CancellationToken cancellation
    )
    {
        var page = await ListPage.Of(context, cursors, "webhook-deliveries", id);
        if (await store.Find(WebhookRules.Owner(caller), id, cancellation) is null)
        {
            return new Problem(ProblemCodes.NotFound);
        }

        var found = await store.Deliveries(id, page.Skip, page.Limit + 1, cancellation);
        return page.Answer(context, found.Select(DeliveryContract.Of), PartnerJson.Answers.PageDeliveryContract);
    }

    /// <summary>Sends an event of type <c>webhook.test</c> to this endpoint only, whatever types it wants.</summary>
    public static async Task<IResult> Test(
        string id,
        Caller caller,
        IWebhookStore store,
        WebhookWorker worker,
        TimeProvider time,
        CancellationToken cancellation
    )
    {
        if (await store.Find(WebhookRules.Owner(caller), id, cancellation) is not { } endpoint)
        {
            return new Problem(ProblemCodes.NotFound);
        }

        if (!endpoint.Enabled)
        {
            return Disabled();
        }

        var now = time.GetUtcNow();
        var delivery = WebhookDispatcher.Delivery(
            endpoint,
            "test_" + Guid.CreateVersion7().ToString("N"),
            "webhook.test",
            now,
            TestData,
            now
        );
        await store.Begin([delivery], now, cancellation);
        worker.Wake();
        return Accepted(delivery);
    }

    /// <summary>
    /// Sends the same delivery at once, with the same id. Its schedule stays as it was: a finished delivery gets this one attempt, a
    /// pending one also keeps all its remaining attempts.
    /// </summary>
    public static async Task<IResult> Retry(
        string id,
        Caller caller,
        IWebhookStore store,
        WebhookWorker worker,
        TimeProvider time,
        CancellationToken cancellation
    )
    {
        var owner = WebhookRules.Owner(caller);
        if (
            await store.FindDelivery(id, cancellation) is not { } delivery
            || delivery.Owner != owner
            || await store.Find(owner, delivery.EndpointId, cancellation) is not { } endpoint
        )
        {
            return new Problem(ProblemCodes.NotFound);
        }

        if (!endpoint.Enabled)
        {
            return Disabled();
        }

        var now = time.GetUtcNow();
        if (delivery.NextAttemptAt <= now)
        {
            return Accepted(delivery); // An attempt is under way already; another beside it would overwrite its record.
        }

        var again = delivery with { Status = DeliveryStatus.Pending, NextAttemptAt = now, ByHand = new(delivery.NextAttemptAt) };
        if (!await store.Reopen(again, delivery.NextAttemptAt, cancellation))
        {
            // Another request was faster.
            return await store.FindDelivery(id, cancellation) is { } current ? Accepted(current) : new Problem(ProblemCodes.NotFound);
        }

        worker.Wake();
        return Accepted(again);
    }

    private static JsonHttpResult<DeliveryContract> Accepted(WebhookDelivery delivery) =>
        TypedResults.Json(DeliveryContract.Of(delivery), PartnerJson.Answers.DeliveryContract, statusCode: StatusCodes.Status202Accepted);

    private static Problem Disabled() => new(ProblemCodes.Conflict) { Detail = "The endpoint is disabled. Enable it first." };
}
