namespace Bff.Dev.Upstreams.Data;

/// <summary>The 2000 initial orders o-5001 to o-7000: twenty per user, oldest first.</summary>
internal static class OrderSeeds
{
    public const int FirstNumber = 5001;
    private const int Count = 2000;
    private const int Recent = 400;

    public static readonly OrderDocument[] All = [.. Enumerable.Range(0, Count).Select(Make)];

    private static OrderDocument Make(int i)
    {
        var dice = new Dice((ulong)i + 50_000);
        // 37 and 100 have no common factor, so a hundred consecutive orders belong to a hundred users.
        var customer = People.All[i * 37 % People.All.Length];
        var placedAt = new DateTimeOffset(2025, 1, 6, 8, 15, 0, TimeSpan.Zero).AddHours(i * 4).AddMinutes(dice.Roll(0, 200));
        var status =
            i == 0
                ? "shipped"
                : dice.Pick<string>(
                    i >= Count - Recent
                        ? ["pending", "pending", "paid", "paid", "paid", "shipped", "shipped", "shipped", "delivered", "cancelled"]
                        :
                        [
                            "delivered",
                            "delivered",
                            "delivered",
                            "delivered",
                            "delivered",
                            "delivered",
                            "delivered",
                            "shipped",
                            "shipped",
                            "cancelled",
                        ]
                );

        var lines = new OrderLine[i == 0 ? 1 : dice.Roll(1, 5)];
        for (var n = 0; n < lines.Length; n++)
            lines[n] = Line(i == 0 ? 0 : dice.Roll(0, Shop.Count - 1), i == 0 ? 1 : dice.Roll(1, 3));

        return new OrderDocument(
            $"o-{FirstNumber + i}",
            customer.Id,
            i == 0 ? "po-77"
                : i % 3 == 0 ? $"po-{1000 + i}"
                : null,
            status,
            placedAt,
            status == "pending" ? placedAt : placedAt.AddHours(dice.Roll(1, 90)),
            lines.Sum(line => line.Quantity * line.UnitPrice),
            "EUR",
            lines,
            customer.Address,
            i % 2 == 0 ? "web" : "mobile"
        );
    }

    public static OrderLine Line(int product, int quantity) =>
        new(
            Shop.Products[product].Id,
            Shop.Products[product].Name,
            Shop.Products[product].ImageUrl,
            quantity,
            Shop.Prices[product].Current
        );
}
