using Bff.Requests;
using PartnerBff.Features.Keys;
using PartnerBff.Features.Operations;
using PartnerBff.OpenApi;

namespace PartnerBff.Features;

/// <summary>Descriptions and examples of all operations; <c>money</c> differs between the versions.</summary>
internal static class Docs
{
    private const string OrderRequestExample =
        """{ "reference": "po-77", "currency": "EUR", "items": [ { "product_id": "p-1", "quantity": 2 } ] }""";
    private const string KeyExample = """
        { "id": "key_01a1f2c3", "name": "warehouse", "prefix": "pk_live_9f", "last_four": "Qz7B", "mode": "live", "scopes": [ "orders.read" ],
          "created_at": "2026-01-31T09:30:00Z", "expires_at": null, "last_used_at": "2026-02-01T08:00:00Z" }
        """;

    private const string NewKeyExample = """
        { "id": "key_01a1f2c3", "name": "warehouse", "key": "pk_live_…", "prefix": "pk_live_9f", "last_four": "Qz7B", "mode": "live",
          "scopes": [ "orders.read" ], "created_at": "2026-01-31T09:30:00Z", "expires_at": null, "last_used_at": null }
        """;

    private const string Product = """
        { "id": "p-1", "name": "Trail Shoe", "description": "…", "brand": "Norrland", "category": "shoes", "attributes": { "weight": "280 g" },
          "variants": [ { "sku": "p-1-42", "size": "42", "color": "black" } ], "updated_at": "2026-01-31T09:30:00Z" }
        """;

    private static readonly ProblemCode[] OfService =
    [
        ProblemCodes.UpstreamFailed,
        ProblemCodes.UpstreamTimeout,
        ProblemCodes.UpstreamUnavailable,
    ];
    private static readonly ProblemCode[] OfOne = [ProblemCodes.NotFound, .. OfService];

    public static OperationDoc ListOrders(bool v2) =>
        new("List orders", "Returns the tenant's orders, newest first.")
        {
            IsList = true,
            Errors = OfOne,
            AnswerExample = Page(Order(v2)),
        };

    public static OperationDoc GetOrder(bool v2) =>
        new("Get an order", "Returns one order. An order of another tenant is not found (404).")
        {
            Errors = OfOne,
            AnswerExample = Order(v2),
        };

    public static OperationDoc PlaceOrder(bool v2) =>
        new(
            "Place an order",
            "Places an order, once per `Idempotency-Key`. If the order service refuses it, for example because "
                + "a product is unknown or out of stock, the answer is 422 or 409 with the service's own `type`, "
                + "`title` and `detail`."
        )
        {
            Key = true,
            Body = typeof(OrderRequest),
            BodyExample = OrderRequestExample,
            AnswerExample = Order(v2),
            Errors = [ProblemCodes.Conflict, ProblemCodes.Unprocessable, .. OfService],
        };

    public static OperationDoc CancelOrder(bool v2) =>
        new("Cancel an order", "Cancels an order that is `pending` or `paid`. An order in any other state is answered 409.")
        {
            Key = false,
            IsDestructive = true,
            AnswerExample = Order(v2),
            Errors = [ProblemCodes.Conflict, .. OfOne],
        };

    public static OperationDoc Batch(bool v2) =>
        new(
            "Place up to 100 orders",
            "Each order succeeds or fails on its own. The results are in the order of the request, each with "
                + "the status that a request with this order alone would get. The request costs one unit per order. "
                + "If a batch was interrupted or failed in part, repeat the same batch with the same key: the "
                + "missing orders are placed, and no order is placed twice."
        )
        {
            Key = true,
            Body = typeof(BatchRequest),
            BodyExample = $$"""{ "orders": [ {{OrderRequestExample}} ] }""",
            AnswerExample =
                $$"""{ "results": [ { "index": 0, "reference": "po-77", "status": 201, "order": {{Order(v2)}} } ], "succeeded": 1, "failed": 0 }""",
        };

    public static OperationDoc ListProducts { get; } =
        new("List products", "Returns the products of the catalogue.")
        {
            IsList = true,
            Errors = OfOne,
            AnswerExample = Page(Product),
        };

    public static OperationDoc GetProduct { get; } =
        new("Get a product", "Returns one product of the catalogue.") { Errors = OfOne, AnswerExample = Product };

    public static OperationDoc GetInventory { get; } =
        new("Get a product's stock", "Returns the product's current stock by warehouse.")
        {
            Errors = OfOne,
            AnswerExample =
                """{ "product_id": "p-1", "in_stock": true, "quantity": 12, "warehouses": [ { "id": "wh-lyon", "quantity": 12 } ], "updated_at": "2026-01-31T09:30:00Z" }""",
        };

    public static OperationDoc GetAccount { get; } =
        new("Get the account", "Returns the tenant, its plan, its limits and the units that remain of them.")
        {
            AnswerExample = """
                { "tenant": "acme", "mode": "live",
                  "plan": { "name": "pro", "price": null, "support": null, "sla": null, "endpoints": "all", "overage": false },
                  "limits": { "requests_per_minute": 5000, "burst": 500, "requests_per_day": 1000000, "max_payload_bytes": 5242880, "remaining": 499, "used_today": 1204 } }
                """,
        };

    public static OperationDoc GetUsage { get; } =
        new(
            "Get usage",
            "Returns requests, errors, latencies and billable overage by UTC day and endpoint, and the "
                + "billable overage by day. A request covers at most 92 days. Usage is kept for 95 days."
        )
        {
            Query = new Dictionary<string, string>
            {
                ["from"] = "First day, such as `2026-01-01`. The default is 29 days before `to`.",
                ["to"] = "Last day. The default is today.",
            },
            Errors = [ProblemCodes.ValidationFailed],
            AnswerExample = """
                { "from": "2026-01-31", "to": "2026-01-31",
                  "data": [ { "date": "2026-01-31", "endpoint": "GET /v1/orders", "requests": 1204, "client_errors": 3, "server_errors": 0, "p50_ms": 12.8, "p95_ms": 38.3, "billable_overage": 0 } ],
                  "days": [ { "date": "2026-01-31", "requests": 1204, "billable_overage": 0 } ], "has_more": false, "next_cursor": null }
                """,
        };

    public static OperationDoc ListEvents { get; } =
        new(
            "Replay events",
            "Returns the events that are also sent to webhooks, oldest first, for clients that missed some. "
                + "The log is limited: `is_complete` is false if some of the requested events are no longer in it."
        )
        {
            IsList = true,
            Query = new Dictionary<string, string>
            {
                ["since"] = "`id` of an event, or a time. Later events are returned. The default is the beginning of the log.",
                ["type"] = "Event types to return, separated by commas: names, or patterns such as `order.*` and `*`.",
            },
            AnswerExample = """
                { "data": [ { "id": "1767225600000-0", "type": "order.shipped", "subject": "o-5001", "timestamp": "2026-01-31T09:30:00Z", "data": { "order_id": "o-5001" } } ],
                  "has_more": false, "next_cursor": null, "is_complete": true }
                """,
        };

    public static OperationDoc ListKeys { get; } =
        new("List API keys", "Returns the tenant's API keys without the keys themselves. A test credential sees only test keys.")
        {
            IsList = true,
            AnswerExample = Page(KeyExample),
        };

    public static OperationDoc CreateKey { get; } =
        new(
            "Create an API key",
            "Creates an API key. `key` is shown only in this answer. The new key has at most the scopes of the "
                + "credential of the request and expires no later than it. A test credential creates only test keys. "
                + "Keys that never expire are created in the portal, or with a key that never expires."
        )
        {
            Body = typeof(NewKeyRequest),
            BodyExample = """{ "name": "warehouse", "scopes": [ "orders.read" ], "mode": "live", "expires_at": null }""",
            AnswerExample = NewKeyExample,
            Errors = [ProblemCodes.Conflict],
        };

    public static OperationDoc RotateKey { get; } =
        new(
            "Rotate an API key",
            "Creates a key with the same name, scopes, mode and expiry. The old key stays valid for "
                + "`overlap_seconds`, one day by default. The credential of the request must have every scope of the "
                + "key and must not expire before it."
        )
        {
            IsDestructive = true,
            Body = typeof(RotateKeyRequest),
            IsBodyRequired = false,
            BodyExample = """{ "overlap_seconds": 86400 }""",
            AnswerExample = NewKeyExample.TrimEnd().TrimEnd('}') + """, "previous_expires_at": "2026-02-01T09:30:00Z" }""",
            Errors = [ProblemCodes.NotFound],
        };

    public static OperationDoc DeleteKey { get; } =
        new("Revoke an API key", "The key becomes invalid within a second. The scope `keys.manage` is enough, whatever scopes the key has.")
        {
            Errors = [ProblemCodes.NotFound],
        };

    private static string Order(bool v2) =>
        v2
            ? """
                { "id": "o-5001", "reference": "po-77", "status": "pending", "total": { "amount": "99.98", "currency": "EUR" }, "placed_at": "2026-01-31T09:30:00Z",
                  "items": [ { "product_id": "p-1", "name": "Trail Shoe", "quantity": 2, "unit_price": { "amount": "49.99", "currency": "EUR" } } ] }
                """
            : """
                { "id": "o-5001", "reference": "po-77", "status": "pending", "total": 99.98, "currency": "EUR", "placed_at": "2026-01-31T09:30:00Z",
                  "items": [ { "product_id": "p-1", "name": "Trail Shoe", "quantity": 2, "unit_price": 49.99 } ] }
                """;

    private static string Page(string entry) => $$"""{ "data": [ {{entry}} ], "has_more": true, "next_cursor": "Aa1…" }""";
}
