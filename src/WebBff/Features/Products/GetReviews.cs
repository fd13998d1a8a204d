using Bff.Composition;
using Bff.Paging;
using Bff.Requests;
using WebBff.Upstreams;
using static Bff.Composition.Durations;

namespace WebBff.Features.Products;

/// <summary>A page of a product's reviews.</summary>
public sealed record ReviewPage(IReadOnlyList<ReviewView> Items, ReviewSummaryView Summary, string? NextCursor, bool HasMore);

internal static class GetReviews
{
    public static ValueTask<CursorScope> Cursors(Cursors cursors, Caller caller, string productId) =>
        cursors.For("web/reviews", caller, productId);

    public static async Task<Composed<ReviewPage>> Handle(
        string id,
        string? limit,
        string? cursor,
        Caller caller,
        Composer composer,
        Cursors cursors,
        IReviews reviews,
        HttpContext context
    )
    {
        var size = PageLimit.Of(limit);
        var pages = await Cursors(cursors, caller, id);
        var place = await pages.Open(cursor, context.RequestAborted);

        var page = composer.Required("reviews", reviews.Of(id, size, place)).Timeout(Seconds(2)).At(place);

        string? next = null;
        var answer = await composer.Compose(
            () =>
                new ReviewPage(
                    ReviewView.Of(page.Value),
                    ReviewSummaryView.Of(page.Value.Summary),
                    next = pages.Seal(page.Value.NextCursor),
                    next is not null
                ),
            WebJson.Answers.ReviewPage
        );
        return answer.WithoutMeta().WithLink(NextLink.Of(context, next));
    }
}
