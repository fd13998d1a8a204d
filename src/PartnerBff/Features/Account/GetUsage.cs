using Bff.RateLimiting;
using Bff.Requests;
using Bff.Tenancy;
using PartnerBff.Usage;

namespace PartnerBff.Features.Account;

/// <summary>Usage from the first to the last day, both included.</summary>
/// <param name="From">First day, UTC.</param>
/// <param name="To">Last day, UTC.</param>
/// <param name="Data">Usage by day and endpoint.</param>
/// <param name="Days">Usage by day, which is what is billed.</param>
public sealed record UsageContract(
    DateOnly From,
    DateOnly To,
    IReadOnlyList<EndpointUsageContract> Data,
    IReadOnlyList<DayUsageContract> Days,
    bool HasMore,
    string? NextCursor
);

/// <summary>Usage of one endpoint on one day.</summary>
/// <param name="Endpoint">Method and route.</param>
/// <param name="ClientErrors">Number of 4xx answers.</param>
/// <param name="ServerErrors">Number of 5xx answers.</param>
/// <param name="P50Ms">Median latency, accurate to 20 %.</param>
/// <param name="P95Ms">95th percentile of latency, accurate to 20 %.</param>
/// <param name="BillableOverage">Units that its requests took beyond the daily quota.</param>
public sealed record EndpointUsageContract(
    DateOnly Date,
    string Endpoint,
    long Requests,
    long ClientErrors,
    long ServerErrors,
    double P50Ms,
    double P95Ms,
    long BillableOverage
);

/// <summary>Usage of all endpoints on one day.</summary>
/// <param name="BillableOverage">Units beyond the daily quota over all endpoints, which is what is billed.</param>
public sealed record DayUsageContract(DateOnly Date, long Requests, long BillableOverage);

internal static class GetUsage
{
    private const int MaxDays = 92;
    private const int DefaultDays = 30;

    public static async Task<IResult> Handle(
        HttpContext context,
        Caller caller,
        UsageRecorder recorder,
        IUsageStore store,
        RateLimiter limiter,
        TimeProvider time
    )
    {
        var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        if (
            !TryDay(context, "to", today, out var to)
            || !TryDay(context, "from", DateOnly.FromDayNumber(Math.Max(0, to.DayNumber + 1 - DefaultDays)), out var from)
        )
        {
            return Problem.Invalid(TryDay(context, "to", today, out _) ? "from" : "to", "Must be a day such as 2026-01-31.");
        }

        if (from > to || to.DayNumber - from.DayNumber >= MaxDays)
        {
            return Problem.Invalid("from", $"Must not be after to, and at most {MaxDays - 1} days before it.");
        }

        await recorder.Flush(context.RequestAborted);
        var account = UsageKey.AccountOf(caller.Tenant!, caller.IsSandbox);
        var overage = caller.IsSandbox ? new Dictionary<DateOnly, long>() : await limiter.OverageOf(caller.Tenant!);
        var data = new List<EndpointUsageContract>();
        var days = new List<DayUsageContract>();
        foreach (var day in Enumerable.Range(from.DayNumber, to.DayNumber - from.DayNumber + 1).Select(DateOnly.FromDayNumber))
        {
            var endpoints = await store.Read(account, day, context.RequestAborted);
            data.AddRange(endpoints.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => Row(day, e.Key, e.Value)));
            if (endpoints.Count > 0 || overage.ContainsKey(day))
            {
                days.Add(new(day, endpoints.Values.Sum(u => u.Requests), overage.GetValueOrDefault(day)));
            }
        }

        return TypedResults.Json(
            new UsageContract(from, to, data, days, HasMore: false, NextCursor: null),
            PartnerJson.Answers.UsageContract
        );
    }

    private static EndpointUsageContract Row(DateOnly day, string endpoint, EndpointUsage usage) =>
        new(
            day,
            endpoint,
            usage.Requests,
            usage.ClientErrors,
            usage.ServerErrors,
            LatencyHistogram.Percentile(usage.Latencies, 0.5),
            LatencyHistogram.Percentile(usage.Latencies, 0.95),
            usage.Overage
        );

    private static bool TryDay(HttpContext context, string name, DateOnly fallback, out DateOnly day)
    {
        day = fallback;
        var values = context.Request.Query[name];
        if (values.Count == 0)
        {
            return true;
        }

        if (values is not [{ } text] || !Rfc3339.TryParseOrDay(text, out var moment))
        {
            return false;
        }

        day = DateOnly.FromDateTime(moment.UtcDateTime);
        return true;
    }
}
