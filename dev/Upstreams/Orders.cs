using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Bff.Dev.Upstreams.Data;

namespace Bff.Dev.Upstreams;

/// <summary>
/// Orders per customer and per tenant. A user sees their own, a partner its tenant's; for everybody else they do not exist (404).
/// </summary>
public sealed class Orders : SampleService
{
    private readonly OrderBook book;

    internal Orders(OrderBook book)
        : base("orders") => this.book = book;

    /// <summary>Makes every change token that was issued so far too old (410).</summary>
    public void ExpireChangeTokens() => book.ExpireTokens();

    /// <summary>Deletes an order, which its customer's changes then show; returns false if there is none.</summary>
    public bool Delete(string orderId) => book.Delete(orderId);

    /// <summary>Sets the status of an order, whatever its current one; returns false if there is none.</summary>
    public bool SetStatus(string orderId, string status) => book.SetStatus(orderId, status);

    internal override void ResetData() => book.Reset();

    internal override Task HandleAsync(Exchange exchange) =>
        (exchange.Request.Method, exchange.Segments) switch
        {
            ("GET", ["orders"]) => OfTenantAsync(exchange),
            ("POST", ["orders"]) => PlaceOrder.HandleAsync(exchange, book),
            ("GET", ["orders", var id]) => Visible(exchange, id) is { } entry
                ? Answer.JsonAsync(exchange, entry.Json)
                : Answer.NotFoundAsync(exchange, "order"),
            ("POST", ["orders", var id, "cancel"]) => CancelAsync(exchange, id),
            ("GET", ["users", var id, "orders"]) => OfCustomerAsync(exchange, id),
            ("GET", ["users", var id, "orders", "changes"]) => ChangesAsync(exchange, id),
            // For the development stack, which runs in another process than the tests.
            ("POST", ["__changes", "expire"]) => DoAsync(
                exchange,
                () =>
                {
                    book.ExpireTokens();
                    return true;
                }
            ),
            ("POST", ["__orders", var id, "delete"]) => DoAsync(exchange, () => book.Delete(id)),
            ("POST", ["__orders", var id, "status", var status]) => DoAsync(exchange, () => book.SetStatus(id, status)),
            (_, ["orders"]) => Answer.MethodNotAllowedAsync(exchange, "GET, POST"),
            (_, ["orders", _]) => Answer.MethodNotAllowedAsync(exchange, "GET"),
            (_, ["orders", _, "cancel"]) => Answer.MethodNotAllowedAsync(exchange, "POST"),
            (_, ["users", _, "orders", ..]) => Answer.MethodNotAllowedAsync(exchange, "GET"),
            _ => Answer.NotFoundAsync(exchange),
        };

    private static Task DoAsync(Exchange exchange, Func<bool> act) =>
        act() ? Answer.NoContentAsync(exchange) : Answer.NotFoundAsync(exchange, "order");

    private OrderBook.Entry? Visible(Exchange exchange, string id) =>
        book.Find(id) is { } entry && exchange.Caller.MaySee(entry.Order.CustomerId, entry.Tenant) ? entry : null;

    private async Task OfTenantAsync(Exchange exchange)
    {
        if (exchange.Caller.Tenant is not { } tenant)
        {
            await Answer.ProblemAsync(exchange, 403, "tenant_required", "Orders are listed for a tenant.");
            return;
        }
        if (await Paging.ReadAsync(exchange) is not { } paging)
            return;
        var (page, next) = book.OfTenant(tenant, paging);
        await Answer.PageAsync(exchange, page, next);
    }

    private async Task OfCustomerAsync(Exchange exchange, string id)
    {
        if (await RefusedAsync(exchange, id) || await Paging.ReadAsync(exchange) is not { } paging)
            return;
        var (page, next) = book.OfCustomer(id, paging);
        await Answer.PageAsync(exchange, page, next);
    }

    private async Task ChangesAsync(Exchange exchange, string id)
    {
        if (await RefusedAsync(exchange, id) || await Paging.ReadAsync(exchange) is not { } paging)
            return;

        ChangeToken? since = null;
        if (exchange.Request.Query["since"] is [{ Length: > 0 } text])
        {
            if (!ChangeToken.TryParse(text, out var token))
            {
                await Answer.ProblemAsync(exchange, 400, "invalid_token", "The token is not one that this service gave out.");
                return;
            }
            since = token;
        }
        if (book.ChangesOf(id, since, paging.Limit) is not { } changes)
        {
            await Answer.ProblemAsync(exchange, 410, "token_too_old", "Start again without since.");
            return;
        }

        var deleted = string.Join(',', changes.Deleted.Select(d => $"\"{d}\""));
        await Answer.ItemsAsync(
            exchange,
            changes.Items,
            Encoding.ASCII.GetBytes(
                $",\"deleted\":[{deleted}],\"nextToken\":\"{changes.Next}\",\"hasMore\":{(changes.HasMore ? "true" : "false")}"
            )
        );
    }

    private static async ValueTask<bool> RefusedAsync(Exchange exchange, string customer)
    {
        if (exchange.Caller.MaySee(customer, People.Find(customer)?.Tenant))
            return false;
        await (
            exchange.Caller.IsPartner
                ? Answer.NotFoundAsync(exchange, "user")
                : Answer.ProblemAsync(exchange, 403, "not_your_orders", "Orders are their customer's alone.")
        );
        return true;
    }

    private Task CancelAsync(Exchange exchange, string id)
    {
        if (Visible(exchange, id) is not { } entry)
            return Answer.NotFoundAsync(exchange, "order");
        return book.Cancel(entry, PlaceOrder.KeyOf(exchange))
            ? Answer.JsonAsync(exchange, entry.Json)
            : Answer.ProblemAsync(exchange, 409, "order_not_cancellable", $"The order is {entry.Order.Status}.");
    }
}

/// <summary>Serves <c>POST /orders</c>: checks the owner and the domain's rules, and places an order once per key.</summary>
internal static class PlaceOrder
{
    private const int MaxLines = 100;
    private const int MaxQuantity = 1000;
    private const int MaxReference = 100;
    private static readonly string[] Currencies = ["EUR", "USD", "GBP"];

    public static string? KeyOf(Exchange exchange) =>
        exchange.Request.Headers["Idempotency-Key"] is [{ Length: > 0 } key] ? key.Trim('"') : null;

    public static Task HandleAsync(Exchange exchange, OrderBook book)
    {
        if (!exchange.Request.HasJsonContentType())
            return Answer.ProblemAsync(exchange, 415, "unsupported_media_type", "Send application/json.");

        NewOrder? order;
        try
        {
            order = JsonSerializer.Deserialize(exchange.Body.Span, DocumentJson.Plain.NewOrder);
        }
        catch (JsonException)
        {
            order = null;
        }
        if (order is null)
            return Answer.ProblemAsync(exchange, 400, "malformed_request", "The body is not an order.");

        var caller = exchange.Caller;
        if (!caller.IsPartner && caller.User is { } self && order.CustomerId is { } other && other != self)
            return Answer.ProblemAsync(exchange, 403, "not_your_orders", "Orders are placed for oneself.");
        if (Customer(order, caller) is not var (customer, tenant))
            return Answer.ProblemAsync(exchange, 422, "unknown_customer", "customerId names no customer.");
        if (Objection(order) is var (status, code, detail))
            return Answer.ProblemAsync(exchange, status, code, detail);

        var lines = order.Items!.Select(line => OrderSeeds.Line(Shop.IndexOf(line.ProductId), (int)line.Quantity!.Value)).ToArray();
        var draft = new OrderDocument(
            "",
            customer,
            order.Reference,
            "pending",
            default,
            default,
            lines.Sum(line => line.Quantity * line.UnitPrice),
            order.Currency ?? "EUR",
            lines,
            People.Find(customer)?.Address ?? new Address("1 Dock Street", "Lyon", "69002", "FR"),
            caller.IsPartner ? "partner" : "direct"
        );
        var key = KeyOf(exchange) is { } k ? $"{tenant} {customer} {k}" : null;
        var (entry, mismatch) = book.Create(draft, tenant, key, Convert.ToHexString(SHA256.HashData(exchange.Body.Span)));

        if (mismatch)
            return Answer.ProblemAsync(exchange, 422, "idempotency_mismatch", "The key was used for another request.");
        if (entry is null)
            return Answer.ProblemAsync(exchange, 503, "order_book_full", "No more orders are taken.");
        exchange.Response.Headers.Location = $"/orders/{entry.Order.Id}";
        return Answer.JsonAsync(exchange, entry.Json, 201);
    }

    private static (string Customer, string Tenant)? Customer(NewOrder order, Identity caller)
    {
        if (caller.IsPartner)
        {
            if (order.CustomerId is { } named)
                return People.Find(named)?.Tenant == caller.Tenant ? (named, caller.Tenant!) : null;
            return (caller.Client ?? caller.User ?? caller.Tenant!, caller.Tenant!);
        }
        return (caller.User ?? order.CustomerId) is { } customer
            ? (customer, People.Find(customer)?.Tenant ?? caller.Tenant ?? "none")
            : null;
    }

    private static (int Status, string Code, string Detail)? Objection(NewOrder order)
    {
        if (order.Items is not { Length: > 0 and <= MaxLines } items)
            return (422, "invalid_items", $"An order has 1 to {MaxLines} items.");
        if (order.Currency is { } currency && !Currencies.Contains(currency))
            return (422, "unknown_currency", "Orders are in EUR, USD or GBP.");
        if (order.Reference is { Length: > MaxReference })
            return (422, "invalid_reference", $"A reference has at most {MaxReference} characters.");
        foreach (var line in items)
        {
            if (line is null || Shop.IndexOf(line.ProductId) is < 0)
                return (422, "unknown_product", $"There is no product '{line?.ProductId}'.");
            if (line.Quantity is not (> 0 and <= MaxQuantity) || decimal.Truncate(line.Quantity.Value) != line.Quantity)
                return (422, "invalid_quantity", $"A quantity is a whole number from 1 to {MaxQuantity}.");
            if (Shop.IsSoldOut(Shop.IndexOf(line.ProductId)))
                return (409, "out_of_stock", $"{line.ProductId} is sold out.");
        }
        return null;
    }
}
