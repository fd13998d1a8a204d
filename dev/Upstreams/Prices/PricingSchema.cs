using System.Globalization;
using Bff.Dev.Upstreams.Data;
using GraphQL;
using GraphQL.Types;

namespace Bff.Dev.Upstreams.Prices;

/// <summary>The GraphQL schema: the price of one product, or of many.</summary>
internal sealed class PricingSchema : Schema
{
    public PricingSchema() => Query = new PricingQuery();
}

internal sealed class PricingQuery : ObjectGraphType
{
    private const int MaxIds = 200;

    public PricingQuery()
    {
        Name = "Query";
        Field<PriceType>("pricing")
            .Argument<NonNullGraphType<IdGraphType>>("productId")
            .Resolve(field =>
                Shop.IndexOf(field.GetArgument<string>("productId")) is >= 0 and var index
                    ? Shop.Prices[index]
                    : throw new ExecutionError("There is no such product.") { Code = "NOT_FOUND" }
            );
        Field<NonNullGraphType<ListGraphType<NonNullGraphType<PriceType>>>>("prices")
            .Argument<NonNullGraphType<ListGraphType<NonNullGraphType<IdGraphType>>>>("productIds")
            .Resolve(field =>
                field.GetArgument<List<string>>("productIds") is { Count: <= MaxIds } ids
                    ? Shop.IndexesOf(ids).Select(index => Shop.Prices[index])
                    : throw new ExecutionError($"At most {MaxIds} products in one query.")
            );
    }
}

internal sealed class PriceType : ObjectGraphType<Price>
{
    public PriceType()
    {
        Name = "Price";
        Field<NonNullGraphType<IdGraphType>>("productId").Resolve(field => field.Source.ProductId);
        Field<NonNullGraphType<DecimalGraphType>>("current").Resolve(field => field.Source.Current);
        Field<NonNullGraphType<StringGraphType>>("currency").Resolve(field => field.Source.Currency);
        Field<DiscountType>("discount").Resolve(field => field.Source.Discount);
    }
}

internal sealed class DiscountType : ObjectGraphType<Discount>
{
    public DiscountType()
    {
        Name = "Discount";
        Field<NonNullGraphType<IntGraphType>>("percentage").Resolve(field => field.Source.Percentage);
        Field<StringGraphType>("validUntil")
            .Resolve(field => field.Source.ValidUntil.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
    }
}
