using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Bff.Composition.Progressive;

/// <summary>
/// Decides whether a client asks for a progressive answer: with <c>Accept: application/x-ndjson</c>, or with <c>Prefer: progressive</c>
/// (RFC 7240) if <c>Accept</c> allows that type (RFC 9110 section 12.5.1). Only reads are answered progressively.
/// </summary>
internal static class ProgressiveAsk
{
    public const string MediaType = "application/x-ndjson";
    public const string Preference = "progressive";
    private const string Json = "application/json";

    /// <summary>
    /// Request headers that a composed answer depends on. One value, so that the edge finds its own header in it and adds nothing.
    /// </summary>
    public static readonly StringValues Vary = "Accept, Prefer, Accept-Encoding";

    public static bool IsRead(HttpRequest request) => HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);

    /// <summary>Whether the request asks for a progressive answer. Costs two look-ups if it does not.</summary>
    public static bool IsMade(HttpContext context)
    {
        var request = context.Request;
        var named = Mentions(request.Headers.Accept, MediaType);
        var preferred = IsPreferred(request);
        return (named || preferred)
            && IsRead(request)
            && context.RequestServices.GetService<CompositionOptions>() is { Progressive: true }
            && IsAllowed(request, preferred);
    }

    /// <summary>Whether <c>Prefer</c> lists <c>progressive</c> without a value; with a value it would be another preference.</summary>
    public static bool IsPreferred(HttpRequest request)
    {
        var prefer = request.Headers["Prefer"];
        return Mentions(prefer, Preference) && Names(prefer);
    }

    /// <summary>Whether the OpenAPI document lists progressive answers for the endpoint.</summary>
    public static bool MayBeMadeOf(EndpointBuilder endpoint) =>
        endpoint.ApplicationServices.GetService<CompositionOptions>() is { Progressive: true }
        && endpoint.Metadata.OfType<IHttpMethodMetadata>().LastOrDefault() is { HttpMethods: { Count: > 0 } methods }
        && methods.All(HttpMethods.IsGet);

    private static bool Mentions(StringValues values, string what)
    {
        foreach (var value in values)
        {
            if (value?.Contains(what, StringComparison.OrdinalIgnoreCase) == true)
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsAllowed(HttpRequest request, bool preferred)
    {
        if (
            !MediaTypeHeaderValue.TryParseList(request.Headers.GetCommaSeparatedValues(HeaderNames.Accept), out var accepted)
            || accepted.Count == 0
        )
        {
            return preferred; // Without Accept, or with an empty one, every type is allowed.
        }

        var (quality, isNamed) = Quality(accepted, MediaType);
        return quality > 0 && (preferred || (isNamed && quality >= Quality(accepted, Json).Quality));
    }

    /// <summary>Returns the quality of the most specific range that includes the type; 0 if none does.</summary>
    private static (double Quality, bool IsNamed) Quality(IList<MediaTypeHeaderValue> accepted, string type)
    {
        var (quality, specific) = (0.0, -1);
        foreach (var range in accepted)
        {
            var level =
                range.MediaType.Equals(type, StringComparison.OrdinalIgnoreCase) ? 2
                : range.MediaType.Equals("application/*", StringComparison.OrdinalIgnoreCase) ? 1
                : range.MatchesAllTypes ? 0
                : -1;
            if (level > specific)
            {
                (quality, specific) = (range.Quality ?? 1, level);
            }
        }

        return (quality, specific == 2);
    }

    private static bool Names(StringValues prefer)
    {
        foreach (var line in prefer)
        {
            foreach (var preference in Unquoted(line!).Split(','))
            {
                var name = preference.Split(';')[0].Trim();
                if (name.StartsWith(Preference, StringComparison.OrdinalIgnoreCase) && name[Preference.Length..].TrimStart(' ', '=') is "")
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>
    /// Replaces quoted values, which may contain commas, by a letter; an empty value counts as no value (RFC 7240 section 2).
    /// </summary>
    private static string Unquoted(string text) =>
        string.Concat(
            text.Split('"')
                .Select(
                    static (piece, i) =>
                        i % 2 == 0 ? piece
                        : piece.Length > 0 ? "x"
                        : ""
                )
        );
}
