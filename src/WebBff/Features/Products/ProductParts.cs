using Bff.Requests;

namespace WebBff.Features.Products;

/// <summary>The parts of a product page that the client requests.</summary>
[Flags]
internal enum ProductParts
{
    None = 0,
    Pricing = 1,
    Inventory = 2,
    Reviews = 4,
    Related = 8,
    All = Pricing | Inventory | Reviews | Related,
}

internal static class ProductPartsQuery
{
    /// <summary>Reads a comma-separated list; without one, all parts are requested.</summary>
    /// <exception cref="ProblemException">400: a name is not that of a part.</exception>
    public static ProductParts Read(string? include)
    {
        if (include is null)
        {
            return ProductParts.All;
        }

        var parts = ProductParts.None;
        foreach (var name in include.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            parts |= name switch
            {
                "pricing" => ProductParts.Pricing,
                "inventory" => ProductParts.Inventory,
                "reviews" => ProductParts.Reviews,
                "related" => ProductParts.Related,
                _ => throw new ProblemException(
                    Problem.Invalid("include", "Must be names of parts, separated by commas: pricing, inventory, reviews or related.")
                ),
            };
        }

        return parts;
    }
}
