using System.Text.Json.Serialization;
using Bff.Caching;
using Bff.Composition;
using Bff.Edge;
using Bff.OpenApi;
using Bff.Paging;
using Bff.Requests;
using Bff.Shared.Tests.Composition.Progressive;
using Bff.Upstreams;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using static Bff.Composition.Durations;

namespace Bff.Shared.Tests.Composition;

internal sealed record DeliveryView(string City, int? Days);

internal sealed record PriceView(decimal? Price);

internal sealed record BasketView(int Count);

internal sealed record OrderView(string Id);

internal sealed record PointsView(int? Points, int Shelf);

internal sealed record TimelineView(IReadOnlyList<Entry> Items, string? NextCursor);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DeliveryView))]
[JsonSerializable(typeof(PriceView))]
[JsonSerializable(typeof(BasketView))]
[JsonSerializable(typeof(OrderView))]
[JsonSerializable(typeof(PointsView))]
[JsonSerializable(typeof(Account))]
[JsonSerializable(typeof(TimelineView))]
[JsonSerializable(typeof(SlowView))]
internal sealed partial class RecipeJson : JsonSerializerContext;

/// <summary>The endpoints of docs/when-one-part-needs-another.md, word by word.</summary>
internal static class Recipes
{
    public static void Map(WebApplication app)
    {
        var recipes = app.MapGroup("").AllowAnonymous();
        recipes.MapGet("/delivery/{customerId}/{productId}", Delivery).Named("delivery");
        recipes.MapGet("/price/{id}", Price).Named("price");
        recipes.MapGet("/basket", Basket).Named("basket");
        recipes.MapPost("/checkout/{productId}", Checkout).Named("checkout");
        recipes.MapPost("/exports", Export).Named("export");
        recipes.MapGet("/points/{id}", Points).Named("points");
        recipes.MapGet("/account/{id}", GetAccount).Named("account");
        recipes.MapPut("/account/{id}", ChangeAccount).Named("account-change").ProducesProblemDocument(400, 409, 412, 422, 428);
        recipes.MapGet("/bestsellers", Bestsellers).Named("bestsellers").PubliclyCacheable(60);
        recipes.MapPut("/files/{id}", Upload).Named("upload").Accepts<Stream>("image/png", "image/jpeg");
        recipes.MapGet("/timeline", Timeline).Named("timeline");
    }

    // recipe
    public static Task<Composed<DeliveryView>> Delivery(string customerId, string productId, Composer composer, IShop shop)
    {
        var customer = composer.Required("customer", shop.Customer(customerId));
        var product = composer.Required("product", shop.Product(productId));
        var quote = composer.Optional("quote", Parts.All(customer, product), (c, p) => shop.Quote(c.City, p.Id));
        return composer.Compose(() => new DeliveryView(customer.Value.City, quote.Value?.Days), RecipeJson.Default.DeliveryView);
    }

    // end

    // recipe
    public static Task<Composed<PriceView>> Price(string id, Composer composer, IShop shop)
    {
        var price = composer.Optional("price", shop.Price(id)).Otherwise(shop.ListPrice(id));
        return composer.Compose(() => new PriceView(price.Value?.Value), RecipeJson.Default.PriceView);
    }

    // end

    // recipe
    public static Task<Composed<BasketView>> Basket(string ids, Composer composer, IShop shop)
    {
        var products = composer.Required(
            "products",
            Batch.Of(ids.Split(','), 50, shop.Products, lists => new Items([.. lists.SelectMany(l => l.All)]))
        );
        return composer.Compose(() => new BasketView(products.Value.All.Count), RecipeJson.Default.BasketView);
    }

    // end

    // recipe
    public static async Task<ComposedCreated<OrderView>> Checkout(string productId, Composer composer, IShop shop)
    {
        var product = composer.Required("product", shop.Product(productId));
        var order = composer.Write("order", product, p => shop.Place(new Draft(p.Id))).TakenBackBy(placed => shop.Cancel(placed.Id));
        var payment = composer.Write("payment", order, shop.Pay);
        var answer = await composer.Compose(() => new OrderView(order.Value.Id), RecipeJson.Default.OrderView);
        return answer.Created(view => "/orders/" + view.Id);
    }

    // end

    // recipe
    public static async Task<ComposedAccepted<OrderView>> Export(Composer composer, IShop shop)
    {
        var export = composer.Write("export", shop.Export());
        var answer = await composer.Compose(() => new OrderView(export.Value.Id), RecipeJson.Default.OrderView);
        return answer.WithHeader("Retry-After", "5").Accepted(view => "/exports/" + view.Id);
    }

    // end

    // recipe
    public static Task<Composed<PointsView>> Points(string id, Composer composer, IShop shop)
    {
        var points = composer.Optional("points", shop.Points(id));
        var position = composer.Required("position", shop.PositionOf(id));
        composer.Optional("shelf", position, p => shop.Shelf(p.Row));
        return composer.Compose(() => new PointsView(points.Value, position.Value.Shelf), RecipeJson.Default.PointsView);
    }

    // end

    // recipe
    public static async Task<Composed<Account>> GetAccount(string id, Composer composer, IShop shop)
    {
        var account = composer.Required("account", shop.Account(id));
        return (await composer.Compose(() => account.Value, RecipeJson.Default.Account)).ValidatedBy(account);
    }

    // end

    // recipe
    public static async Task<Composed<Account>> ChangeAccount(
        string id,
        [FromHeader(Name = "If-Match")] IfMatch? ifMatch,
        HttpContext context,
        Composer composer,
        IShop shop
    )
    {
        if (ifMatch is null)
        {
            throw new ProblemException(new Problem(ProblemCodes.PreconditionRequired));
        }

        var body = await JsonBody.Read(context, RecipeJson.Default.Account, context.RequestAborted);
        if (!body.TryGet(out var changed, out var problem))
        {
            throw new ProblemException(problem);
        }

        var account = composer.Write("account", shop.Change(id, changed, ifMatch.Value));
        return (await composer.Compose(() => account.Value, RecipeJson.Default.Account)).ValidatedBy(account);
    }

    // end

    // recipe
    public static Task<Composed<BasketView>> Bestsellers(Composer composer, IShop shop)
    {
        var products = composer
            .Required("products", shop.Products(["p-1", "p-2"]))
            .Cached(CacheScope.Public, "bestsellers", fresh: Seconds(60), stale: Minutes(10));
        return composer.Compose(() => new BasketView(products.Value.All.Count), RecipeJson.Default.BasketView);
    }

    // end

    // recipe
    public static async Task<ComposedCreated<OrderView>> Upload(string id, UploadedFile file, Composer composer, IShop shop)
    {
        var stored = composer.Write("file", shop.Upload(id, file));
        var answer = await composer.Compose(() => new OrderView(stored.Value.Id), RecipeJson.Default.OrderView);
        return answer.Created(view => "/files/" + view.Id);
    }

    // end

    // recipe
    public static async Task<Composed<TimelineView>> Timeline(
        string? cursor,
        string? limit,
        Caller caller,
        HttpContext context,
        Composer composer,
        Cursors cursors,
        IShop shop
    )
    {
        var sealing = await cursors.For("timeline", caller);
        var from = await sealing.Open(cursor, context.RequestAborted);
        var page = composer
            .Required("timeline", Pages.Merge(from, PageLimit.Of(limit), e => e.At, e => e.Id, shop.Letters, shop.Messages))
            .At(from);
        return await composer.Compose(
            () => new TimelineView(page.Value.Items, sealing.Seal(page.Value.NextCursor)),
            RecipeJson.Default.TimelineView
        );
    }
    // end
}
