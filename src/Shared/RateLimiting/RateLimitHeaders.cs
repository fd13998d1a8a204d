using System.Globalization;
using Bff.Tenancy;
using Microsoft.AspNetCore.Http;

namespace Bff.RateLimiting;

/// <summary>
/// Writes <c>RateLimit-Policy</c> and <c>RateLimit</c> (draft-ietf-httpapi-ratelimit-headers, structured fields of RFC 9651) and the older
/// <c>X-RateLimit-*</c> headers. Repeated values are cached, so that in a steady state no strings are allocated.
/// </summary>
internal static class RateLimitHeaders
{
    private static readonly Tuple<long, string>?[] Numbers = new Tuple<long, string>?[4096];
    private static readonly Tuple<long, string>?[] Seconds = new Tuple<long, string>?[256];

    public static void Write(HttpContext context, LimitSet set, in Decision decision, TimeProvider time)
    {
        var headers = context.Response.Headers;
        headers["RateLimit-Policy"] = set.PolicyText;
        if (decision.Tightest is not { } tightest)
        {
            return;
        }

        headers["RateLimit"] = decision.IsDaily
            ? BucketPolicy.Format(BucketPolicy.DailyName, decision.Remaining, decision.ResetSeconds)
            : tightest.RateLimitText(decision.Remaining, decision.ResetSeconds);
        headers["X-RateLimit-Limit"] = decision.IsDaily ? tightest.DayLimitText : tightest.LimitText;
        headers["X-RateLimit-Remaining"] = Text(Numbers, decision.Remaining);
        headers["X-RateLimit-Reset"] = Text(Seconds, time.GetUtcNow().ToUnixTimeSeconds() + decision.ResetSeconds);
    }

    /// <summary>Returns the number as text from the cache. Consecutive numbers have different places in it.</summary>
    private static string Text(Tuple<long, string>?[] kept, long number)
    {
        ref var place = ref kept[(ulong)number % (ulong)kept.Length];
        var known = place;
        if (known is null || known.Item1 != number)
        {
            place = known = Tuple.Create(number, number.ToString(CultureInfo.InvariantCulture));
        }

        return known.Item2;
    }
}
