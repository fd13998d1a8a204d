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
        new("List orders", "The tenant's orders, the newest first.")
        {
            IsList = true,
            Errors = OfOne,
            AnswerExample = Page(Order(v2)),
        };

    public static OperationDoc GetOrder(bool v2) =>
        new("Get an order", "An order of another tenant does not exist (404).") { Errors = OfOne, AnswerExample = Order(v2) };

    public static OperationDoc PlaceOrder(bool v2) =>
        new(
            "Place an order",
            "Acts once per `Idempotency-Key`. What the order service refuses (an unknown product, something out of stock) comes as 422 or 409 with the service's own `type`, `title` and `detail`."
        )
        {
            Key = true,
            Body = typeof(OrderRequest),
            BodyExample = OrderRequestExample,
            AnswerExample = Order(v2),
            Errors = [ProblemCodes.Conflict, ProblemCodes.Unprocessable, .. OfService],
        };

    public static OperationDoc CancelOrder(bool v2) =>
        new("Cancel an order", "Possible while it is `pending` or `paid`; 409 afterwards.")
        {
            Key = false,
            IsDestructive = true,
            AnswerExample = Order(v2),
            Errors = [ProblemCodes.Conflict, .. OfOne],
        };

    public static OperationDoc Batch(bool v2) =>
        new(
            "Place up to 100 orders",
            "Each order succeeds or fails by itself; the results are in the order of the request, each with the status that it would have had alone. Costs one unit per order. "
                + "Each order has an idempotency of its own under the key of the batch: repeat an interrupted or partly failed batch as it was, and the rest is placed, none twice."
        )
        {
            Key = true,
            Body = typeof(BatchRequest),
            BodyExample = $$"""{ "orders": [ {{OrderRequestExample}} ] }""",
            AnswerExample =
                $$"""{ "results": [ { "index": 0, "reference": "po-77", "status": 201, "order": {{Order(v2)}} } ], "succeeded": 1, "failed": 0 }""",
        };

    public static OperationDoc ListProducts { get; } =
        new("List products", "The catalogue.")
        {
            IsList = true,
            Errors = OfOne,
            AnswerExample = Page(Product),
        };

    public static OperationDoc GetProduct { get; } =
        new("Get a product", "One product of the catalogue.") { Errors = OfOne, AnswerExample = Product };

    public static OperationDoc GetInventory { get; } =
        new("Get a product's stock", "What is in stock now, by warehouse.")
        {
            Errors = OfOne,
            AnswerExample =
                """{ "product_id": "p-1", "in_stock": true, "quantity": 12, "warehouses": [ { "id": "wh-lyon", "quantity": 12 } ], "updated_at": "2026-01-31T09:30:00Z" }""",
        };

    public static OperationDoc GetAccount { get; } =
        new("Get the account", "Tenant, plan, limits, and what is left of them.")
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
            "Requests, errors, latencies and billable overage by UTC day and endpoint, and what is billed by day; at most 92 days, kept for 95."
        )
        {
            Query = new Dictionary<string, string>
            {
                ["from"] = "First day, such as `2026-01-01`; 29 days before `to` by default.",
                ["to"] = "Last day; today by default.",
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
            "What happened, the oldest first: what webhooks tell, for those who missed one. The log is bounded; `is_complete` is false when part of what was asked for has gone."
        )
        {
            IsList = true,
            Query = new Dictionary<string, string>
            {
                ["since"] = "An event's `id` or a time; from the beginning of the log by default.",
                ["type"] = "Types that are wanted, separated by commas: names, `order.*`, `*`.",
            },
            AnswerExample = """
                { "data": [ { "id": "1767225600000-0", "type": "order.shipped", "subject": "o-5001", "timestamp": "2026-01-31T09:30:00Z", "data": { "order_id": "o-5001" } } ],
                  "has_more": false, "next_cursor": null, "is_complete": true }
                """,
        };

    public static OperationDoc ListKeys { get; } =
        new("List API keys", "The keys themselves are never shown again. A test credential sees test keys alone.")
        {
            IsList = true,
            AnswerExample = Page(KeyExample),
        };

    public static OperationDoc CreateKey { get; } =
        new(
            "Create an API key",
            "`key` is shown in this answer and never again. A key has at most the scopes of the credential that asks for it, and ends no later; a test credential makes test keys alone. "
                + "Lasting keys come from the portal, or from a key without an end."
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
            "Makes a key of the same name, scopes, mode and end. The old one goes on for `overlap_seconds`, a day by default. Needs every scope of the key, and a credential that does not end before it."
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
        new("Revoke an API key", "It stops within a second. `keys.manage` suffices, whatever the key's scopes.")
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
