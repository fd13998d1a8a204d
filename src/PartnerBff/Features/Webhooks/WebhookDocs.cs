using Bff.Requests;
using PartnerBff.OpenApi;

namespace PartnerBff.Features.Webhooks;

/// <summary>Descriptions and examples of the webhooks' operations.</summary>
internal static class WebhookDocs
{
    private const string Body = """{ "url": "https://partner.example/hooks", "types": [ "order.*" ], "description": "warehouse" }""";
    private const string Endpoint = """
        { "id": "we_01a1f2c3", "url": "https://partner.example/hooks", "types": [ "order.*" ], "description": "warehouse", "enabled": true,
          "created_at": "2026-01-31T09:30:00Z" }
        """;

    private const string WithSecret = """
        { "id": "we_01a1f2c3", "url": "https://partner.example/hooks", "types": [ "order.*" ], "description": "warehouse", "enabled": true,
          "secret": "whsec_…", "created_at": "2026-01-31T09:30:00Z" }
        """;

    private const string Delivery = """
        { "id": "msg_9fQz7B", "event_id": "1769851800000-0", "type": "order.shipped", "status": "delivered",
          "attempts": [ { "at": "2026-01-31T09:30:00Z", "status_code": 204, "latency_ms": 87, "response": "" } ], "next_attempt_at": null }
        """;

    private static readonly ProblemCode[] OfOne = [ProblemCodes.NotFound];
    private static readonly ProblemCode[] OfEnabled = [ProblemCodes.NotFound, ProblemCodes.Conflict];

    public static OperationDoc Create { get; } =
        new(
            "Add a webhook endpoint",
            "The endpoint receives every later event of its `types` at least once, signed according to "
                + "Standard Webhooks 1.0. Without `types` it receives all events. "
                + "`secret` is shown only in this answer. The address must be https and on the public internet."
        )
        {
            Body = typeof(WebhookEndpointRequest),
            BodyExample = Body,
            AnswerExample = WithSecret,
            Errors = [ProblemCodes.Conflict],
        };

    public static OperationDoc List { get; } =
        new("List webhook endpoints", "Returns the webhook endpoints, oldest first. A test credential sees only test endpoints.")
        {
            IsList = true,
            AnswerExample = Page(Endpoint),
        };

    public static OperationDoc Get { get; } =
        new("Get a webhook endpoint", "Returns a webhook endpoint without its secret.") { Errors = OfOne, AnswerExample = Endpoint };

    public static OperationDoc Change { get; } =
        new("Change a webhook endpoint", "Members that are absent are not changed. `enabled: true` enables an endpoint that was disabled.")
        {
            Body = typeof(WebhookEndpointChange),
            BodyExample = """{ "enabled": true }""",
            Errors = OfOne,
            AnswerExample = Endpoint,
        };

    public static OperationDoc Delete { get; } =
        new("Delete a webhook endpoint", "Deletes the endpoint. Its pending deliveries are not sent.") { Errors = OfOne };

    public static OperationDoc Rotate { get; } =
        new("Rotate the secret", "Creates a new secret. The old and the new secret both sign for `overlap_seconds`, one day by default.")
        {
            IsDestructive = true,
            Body = typeof(RotateSecretRequest),
            IsBodyRequired = false,
            BodyExample = """{ "overlap_seconds": 86400 }""",
            Errors = OfOne,
            AnswerExample = WithSecret,
        };

    public static OperationDoc Test { get; } =
        new("Send a test", "Sends an event of type `webhook.test` to this endpoint only.") { Errors = OfEnabled, AnswerExample = Delivery };

    public static OperationDoc Deliveries { get; } =
        new(
            "List deliveries",
            "Returns deliveries, newest first, each with its latest attempts and the first 1 KiB of the answers to them."
        )
        {
            IsList = true,
            Errors = OfOne,
            AnswerExample = Page(Delivery),
        };

    public static OperationDoc Retry { get; } =
        new(
            "Retry a delivery",
            "Sends the event again at once with the same `webhook-id`, whether or not it was delivered before. "
                + "The schedule of the other attempts does not change."
        )
        {
            Errors = OfEnabled,
            AnswerExample = Delivery,
        };

    private static string Page(string item) => $$"""{ "data": [ {{item}} ], "has_more": false, "next_cursor": null }""";
}
