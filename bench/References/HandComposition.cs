using System.Text.Json.Serialization;

namespace Bff.Bench.References;

/// <summary>
/// The home feed as a careful engineer would write it by hand: a minimal API, one pooled HttpClient, the four calls in parallel, and
/// source-generated JSON of the members that are needed. It has no credential, limit, circuit breaker, timeout of its own or log.
/// </summary>
internal static class HandComposition
{
    public static WebApplication Build(WebApplicationBuilder builder, string upstream)
    {
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, FeedJson.Default));
        var app = builder.Build();
        var services = new HttpClient(
            new SocketsHttpHandler
            {
                UseProxy = false,
                UseCookies = false,
                AllowAutoRedirect = false,
            }
        )
        {
            BaseAddress = new Uri(upstream),
        };
        app.MapGet(
            "/home-feed",
            async (HttpContext context) =>
            {
                var gone = context.RequestAborted;
                var user = services.GetFromJsonAsync("/users/u-1", FeedJson.Default.User, gone);
                var orders = services.GetFromJsonAsync("/users/u-1/orders?limit=5", FeedJson.Default.OrderPage, gone);
                var picks = services.GetFromJsonAsync("/users/u-1/recommendations?limit=10", FeedJson.Default.Picks, gone);
                var notifications = services.GetFromJsonAsync(
                    "/users/u-1/notifications?unread=true&limit=1",
                    FeedJson.Default.Notifications,
                    gone
                );
                await Task.WhenAll(user, orders, picks, notifications);
                return TypedResults.Ok(
                    new Feed(
                        new FeedUser((await user)!.Id, (await user)!.Name, Sized((await user)!.AvatarUrl, 96)),
                        [
                            .. (await orders)!.Items.Select(o => new FeedOrder(
                                o.Id,
                                o.Status,
                                o.TotalAmount,
                                o.Currency,
                                o.PlacedAt,
                                o.Items.Length,
                                Sized(o.Items[0].ProductImageUrl, 160)
                            )),
                        ],
                        [
                            .. (await picks)!.Items.Select(p => new FeedPick(
                                p.ProductId,
                                p.Name,
                                p.Price,
                                p.Currency,
                                Sized(p.ImageUrl, 160)
                            )),
                        ],
                        (await notifications)!.UnreadCount
                    )
                );
            }
        );
        return app;
    }

    private static string? Sized(string? path, int width) =>
        path is null ? null : $"/images/{path.AsSpan("/media/large/".Length)}?w={width}";
}

internal sealed record User(string Id, string Name, string? AvatarUrl);

internal sealed record Line(string? ProductImageUrl);

internal sealed record Order(string Id, string Status, DateTimeOffset PlacedAt, decimal TotalAmount, string Currency, Line[] Items);

internal sealed record OrderPage(Order[] Items);

internal sealed record Pick(string ProductId, string Name, string? ImageUrl, decimal Price, string Currency);

internal sealed record Picks(Pick[] Items);

internal sealed record Notifications(int UnreadCount);

internal sealed record FeedUser(string Id, string Name, string? Avatar);

internal sealed record FeedOrder(
    string Id,
    string Status,
    decimal Total,
    string Currency,
    DateTimeOffset Date,
    int ItemCount,
    string? Thumb
);

internal sealed record FeedPick(string Id, string Name, decimal Price, string Currency, string? Thumb);

internal sealed record Feed(FeedUser User, FeedOrder[] Orders, FeedPick[] Recommendations, int Unread);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(User))]
[JsonSerializable(typeof(OrderPage))]
[JsonSerializable(typeof(Picks))]
[JsonSerializable(typeof(Notifications))]
[JsonSerializable(typeof(Feed))]
internal sealed partial class FeedJson : JsonSerializerContext;
