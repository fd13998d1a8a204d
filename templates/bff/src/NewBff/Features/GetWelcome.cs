using System.Text.Json.Serialization;
using Bff.Caching;
using Bff.Composition;
using Bff.Requests;
using Microsoft.Extensions.Options;
using NewBff.Upstreams;
using static Bff.Composition.Durations;

namespace NewBff.Features;

/// <summary>The first screen. <paramref name="Picks"/> is null when its service failed; <c>_meta.degraded</c> says why.</summary>
public sealed record Welcome(
    string Name,
    IReadOnlyList<WelcomePick>? Picks,
    [property: JsonPropertyName("_meta"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] Meta? Meta = null
);

public sealed record WelcomePick(string Id, string Name, decimal Price, string Currency);

internal static class GetWelcome
{
    public static Task<Composed<Welcome>> Handle(
        Caller caller,
        Composer composer,
        IUsers users,
        IRecommendations recommendations,
        IOptions<WelcomeSettings> settings
    )
    {
        var user = composer.Required("user", users.Get(caller.Subject)).Timeout(Milliseconds(500));
        var picks = composer
            .Optional("recommendations", recommendations.For(caller.Subject, settings.Value.Picks))
            .Cached(CacheScope.Caller, $"recommendations:{caller.Subject}", fresh: Seconds(60), stale: Minutes(10));

        return composer.Compose(
            () =>
                new Welcome(
                    user.Value.Name,
                    picks.Value?.Items.Select(p => new WelcomePick(p.ProductId, p.Name, p.Price, p.Currency)).ToList()
                ),
            AnswersJson.Default.Welcome
        );
    }
}
