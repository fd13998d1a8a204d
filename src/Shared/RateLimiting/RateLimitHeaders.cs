using System.Globalization;
using Bff.Tenancy;
using Microsoft.AspNetCore.Http;

namespace Bff.RateLimiting;

/// <summary>
/// <c>RateLimit-Policy</c> and <c>RateLimit</c> (draft-ietf-httpapi-ratelimit-headers, structured fields of RFC 9651) and their older kin.
/// Values that repeat are kept, so that in a steady state no text is made.
/// </summary>
internal static class RateLimitHeaders
{
    private static readonly string?[] Numbers = new string?[4096];
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
        headers["X-RateLimit-Remaining"] = Number(decision.Remaining);
        headers["X-RateLimit-Reset"] = Second(time.GetUtcNow().ToUnixTimeSeconds() + decision.ResetSeconds);
    }

    private static string Number(long number) =>
        (ulong)number < (ulong)Numbers.Length
            ? Numbers[number] ??= number.ToString(CultureInfo.InvariantCulture)
            : number.ToString(CultureInfo.InvariantCulture);

    private static string Second(long second)
    {
        ref var known = ref Seconds[(byte)second];
        var entry = known;
        if (entry is null || entry.Item1 != second)
        {
            known = entry = Tuple.Create(second, second.ToString(CultureInfo.InvariantCulture));
        }

        return entry.Item2;
    }
}
