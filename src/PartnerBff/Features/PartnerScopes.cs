namespace PartnerBff.Features;

/// <summary>The scopes of partners' credentials.</summary>
internal static class PartnerScopes
{
    public const string OrdersRead = "orders.read";
    public const string OrdersWrite = "orders.write";
    public const string ProductsRead = "products.read";
    public const string InventoryRead = "inventory.read";
    public const string AccountRead = "account.read";
    public const string UsageRead = "usage.read";
    public const string KeysManage = "keys.manage";
    public const string WebhooksManage = "webhooks.manage";
    public const string EventsRead = "events.read";

    /// <summary>All scopes.</summary>
    public static readonly string[] All =
    [
        OrdersRead,
        OrdersWrite,
        ProductsRead,
        InventoryRead,
        AccountRead,
        UsageRead,
        KeysManage,
        WebhooksManage,
        EventsRead,
    ];
}
