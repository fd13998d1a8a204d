using System.Text.RegularExpressions;
using Bff.Requests;
using Bff.Upstreams;
using Microsoft.Net.Http.Headers;

namespace MobileBff.Features.Pictures;

/// <summary>Serves an image of at most the requested width, as WebP if the client accepts it.</summary>
internal static partial class GetPicture
{
    private static readonly int[] Widths = [96, 160, 320, 640, 960];

    public static async Task Handle(string file, string? w, HttpContext context, PictureStore pictures, SharedReads shared)
    {
        var width = Array.Find(Widths, allowed => allowed.ToString(System.Globalization.CultureInfo.InvariantCulture) == w);
        if (width == 0)
        {
            throw new ProblemException(Problem.Invalid("w", "Must be one of 96, 160, 320, 640, 960."));
        }

        if (!PlainName().IsMatch(file))
        {
            throw new ProblemException(new Problem(ProblemCodes.NotFound));
        }

        var request = BffRequest.Of(context);
        var variant = new PictureVariant(file, width, TakesWebP(context.Request), context.Request.Headers["Save-Data"] == "on")
        {
            Told = shared.VariantFor("media", request),
        };
        if (!pictures.TryGet(variant, out var picture))
        {
            picture = await pictures.Get(variant, request, context.RequestAborted);
        }

        var headers = context.Response.Headers;
        headers.ETag = picture.ETag;
        headers.CacheControl = "public, max-age=604800, stale-while-revalidate=86400";
        var varyBy = shared.VaryBy("media", request);
        headers.Vary = varyBy.Count == 0 ? "Accept, Save-Data" : $"Accept, Save-Data, {string.Join(", ", varyBy)}";
        if (
            context
                .Request.Headers.IfNoneMatch.SelectMany(v => (v ?? "").Split(',', StringSplitOptions.TrimEntries))
                .Any(tag => tag == "*" || tag == picture.ETag || tag == "W/" + picture.ETag)
        )
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        context.Response.ContentType = picture.MediaType;
        context.Response.ContentLength = picture.Content.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(picture.Content, context.RequestAborted);
        }
    }

    // WebP must be named and preferred to JPEG or equal: clients that cannot show WebP also send wildcards.
    private static bool TakesWebP(HttpRequest request) =>
        MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted)
        && Quality(accepted, "image/webp") is > 0 and var webP
        && webP >= (Quality(accepted, "image/jpeg") ?? Quality(accepted, "image/*") ?? Quality(accepted, "*/*") ?? 0);

    /// <summary>Returns the quality of a range (RFC 9110 section 12.4.2); null if the client does not list it.</summary>
    private static double? Quality(IList<MediaTypeHeaderValue> accepted, string range)
    {
        foreach (var one in accepted)
        {
            if (one.MediaType.Equals(range, StringComparison.OrdinalIgnoreCase))
            {
                return one.Quality ?? 1;
            }
        }

        return null;
    }

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex PlainName();
}
