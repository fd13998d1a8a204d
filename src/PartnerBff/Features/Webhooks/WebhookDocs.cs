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
            "Every event of the wanted types from here on is sent to it at least once, signed as Standard Webhooks 1.0 says. `secret` is shown in this answer and never again. "
                + "Without `types` it gets all. The address has to be https and on the public internet."
        )
        {
            Body = typeof(WebhookEndpointRequest),
            BodyExample = Body,
            AnswerExample = WithSecret,
            Errors = [ProblemCodes.Conflict],
        };

    public static OperationDoc List { get; } =
        new("List webhook endpoints", "The oldest first. A test credential sees its own alone.")
        {
            IsList = true,
            AnswerExample = Page(Endpoint),
        };

    public static OperationDoc Get { get; } =
        new("Get a webhook endpoint", "Without its secret.") { Errors = OfOne, AnswerExample = Endpoint };

    public static OperationDoc Change { get; } =
        new("Change a webhook endpoint", "Members that are absent stay as they are. `enabled` brings back one that was disabled.")
        {
            Body = typeof(WebhookEndpointChange),
            BodyExample = """{ "enabled": true }""",
            Errors = OfOne,
            AnswerExample = Endpoint,
        };

    public static OperationDoc Delete { get; } =
        new("Delete a webhook endpoint", "What is still on its way to it is not sent any more.") { Errors = OfOne };

    public static OperationDoc Rotate { get; } =
        new("Rotate the secret", "Both secrets sign for `overlap_seconds`, a day by default.")
        {
            IsDestructive = true,
            Body = typeof(RotateSecretRequest),
            IsBodyRequired = false,
            BodyExample = """{ "overlap_seconds": 86400 }""",
            Errors = OfOne,
            AnswerExample = WithSecret,
        };

    public static OperationDoc Test { get; } =
        new("Send a test", "An event of type `webhook.test`, to this endpoint alone.") { Errors = OfEnabled, AnswerExample = Delivery };

    public static OperationDoc Deliveries { get; } =
        new("List deliveries", "The newest first, each with its latest attempts and the first 1 KiB of their answers.")
        {
            IsList = true,
            Errors = OfOne,
            AnswerExample = Page(Delivery),
        };

    public static OperationDoc Retry { get; } =
        new("Send once more", "The same `webhook-id`, at once, whatever came of it before. The schedule of its attempts stays as it was.")
        {
            Errors = OfEnabled,
            AnswerExample = Delivery,
        };

    private static string Page(string item) => $$"""{ "data": [ {{item}} ], "has_more": false, "next_cursor": null }""";
}
