using System.Globalization;
using System.Text.Json;

namespace Bff.Dev.Upstreams.Data;

/// <summary>Products p-1 to p-300 with their prices and stock.</summary>
internal static class Shop
{
    public const int Count = 300;

    /// <summary>Every so many products one is sold out; ordering it is refused with 409.</summary>
    public const int SoldOutEvery = 17;

    public static readonly DateTimeOffset Epoch = new(2025, 11, 1, 6, 0, 0, TimeSpan.Zero);

    private static readonly (string Category, string[] Kinds, string[] Sizes)[] Shelves =
    [
        ("shoes", ["Trail Shoe", "Approach Shoe", "Winter Boot", "Camp Sandal", "Gravel Runner"], ["40", "41", "42", "43", "44"]),
        ("jackets", ["Rain Shell", "Down Jacket", "Wind Jacket", "Fleece Hoody"], ["S", "M", "L", "XL"]),
        ("backpacks", ["Day Pack", "Alpine Pack", "Trekking Pack", "Courier Bag"], ["18 l", "28 l", "45 l"]),
        ("tents", ["Tunnel Tent", "Dome Tent", "Tarp", "Bivouac"], ["1P", "2P", "3P"]),
        ("sleeping", ["Down Sleeping Bag", "Quilt", "Air Mat", "Foam Mat"], ["R", "L"]),
        ("kitchen", ["Gas Stove", "Titanium Pot", "Water Filter", "Cutlery Set"], ["one size"]),
    ];

    private static readonly string[] Brands = ["Norrland", "Ferrata", "Kestrelle", "Montblanc & Fils", "Saltwind", "Hœgr"];
    private static readonly string[] Colors = ["black", "slate", "rust", "moss", "glacier", "ochre"];
    private static readonly string[] Names = ["", "Pro", "Light", "Tour", "II", "Storm", "Classic", "Ultra"];

    public static readonly ProductDocument[] Products = [.. Enumerable.Range(1, Count).Select(MakeProduct)];
    public static readonly Price[] Prices = [.. Enumerable.Range(1, Count).Select(MakePrice)];
    public static readonly ReadOnlyMemory<byte>[] ProductJson =
    [
        .. Products.Select(p => new ReadOnlyMemory<byte>(JsonSerializer.SerializeToUtf8Bytes(p, DocumentJson.Plain.ProductDocument))),
    ];

    /// <summary>Returns the index of a product id in every array here, or -1.</summary>
    public static int IndexOf(string? id) =>
        id is { Length: > 2 and < 6 }
        && id.StartsWith("p-", StringComparison.Ordinal)
        && id[2] != '0'
        && int.TryParse(id.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && number is >= 1 and <= Count
            ? number - 1
            : -1;

    /// <summary>Returns the known ids of <c>?ids=p-1,p-2</c> in the requested order, without duplicates.</summary>
    public static IEnumerable<int> IndexesOf(IEnumerable<string> ids) => ids.Select(IndexOf).Where(i => i >= 0).Distinct();

    public static bool IsSoldOut(int index) => (index + 1) % SoldOutEvery == 0;

    private static ProductDocument MakeProduct(int number)
    {
        var dice = new Dice((ulong)number);
        var (category, kinds, sizes) = Shelves[(number - 1) % Shelves.Length];
        var shelf = (number - 1) / Shelves.Length;
        var name = $"{kinds[shelf % kinds.Length]} {Names[shelf / kinds.Length % Names.Length]}".Trim();
        var brand = Brands[shelf % Brands.Length];
        var color = dice.Pick<string>(Colors);
        var attributes = new Dictionary<string, string>
        {
            ["weight"] = $"{(number == 1 ? 280 : dice.Roll(8, 180) * 10)} g",
            [category == "shoes" ? "drop" : "material"] =
                category == "shoes" ? "6 mm" : dice.Pick<string>(["recycled polyester", "ripstop nylon", "titanium", "merino"]),
            ["origin"] = dice.Pick<string>(["Portugal", "Italy", "Estonia"]),
        };
        return new ProductDocument(
            $"p-{number}",
            name,
            Text.Description(ref dice, $"The {name} by {brand}, from our {category} range."),
            brand,
            category,
            $"/media/large/p-{number}.jpg",
            [.. Enumerable.Range(2, dice.Roll(1, 3)).Select(n => $"/media/large/p-{number}-{n}.jpg")],
            attributes,
            [.. sizes.Select(size => new Variant($"p-{number}-{size.Replace(" ", "", StringComparison.Ordinal)}", size, color))],
            Epoch.AddMinutes(-number * 97),
            new Sustainability(dice.Roll(40, 99), number % 3 == 0 ? ["bluesign"] : [])
        );
    }

    private static Price MakePrice(int number)
    {
        var dice = new Dice((ulong)number + 10_000);
        var current = number == 1 ? 49.99m : dice.Roll(9, 480) + 0.99m;
        return new Price(
            $"p-{number}",
            current,
            "EUR",
            number % 5 == 0 ? new Discount(dice.Roll(1, 8) * 5, new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero)) : null
        );
    }
}
