using Bff.Callers.ApiKeys;
using Bff.RateLimiting;
using Bff.Requests;
using Bff.Tenancy;
using PartnerBff.Portal.Keys;
using PartnerBff.Portal.Pages;
using PartnerBff.Usage;

namespace PartnerBff.Portal.Overview;

/// <summary>Shows plan, quota and usage.</summary>
internal static class GetOverview
{
    private const int Days = 30;
    private const int MaxQuotas = 5;
    private const int MaxEndpoints = 8;
    private const int MaxKeysAsked = 20;

    public static async Task<IResult> Handle(
        HttpContext context,
        PortalViewer viewer,
        UsageRecorder recorder,
        IUsageStore usage,
        ApiKeyRegistry keys,
        RateLimiter limiter,
        TimeProvider time
    )
    {
        var isTest = context.Request.Query["mode"] is ["test"];
        await recorder.Flush(context.RequestAborted); // Includes the latest calls.
        var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        var account = UsageKey.AccountOf(viewer.Tenant, isTest);
        var days = Enumerable.Range(0, Days).Select(i => today.AddDays(i - Days + 1)).ToList();
        var read = await Task.WhenAll(days.Select(day => usage.Read(account, day, context.RequestAborted).AsTask()));
        var latest = new EndpointUsage();
        foreach (var endpoint in read[^1].Values)
        {
            latest.Add(endpoint);
        }

        var plan = limiter.PlanOf(BffRequest.Of(context));
        var own = await keys.List(viewer.Tenant, isTest, context.RequestAborted);
        return await PortalPage.Of<OverviewPage, OverviewFigures>(
            context,
            viewer,
            new(
                isTest,
                [.. days.Zip(read, Day)],
                Endpoints(read),
                latest.Requests == 0 ? 0 : LatencyHistogram.Percentile(latest.Latencies, 0.95),
                PlanFigures.Of(plan),
                plan.RequestsPerDay is { } quota ? await Quotas(viewer, own, isTest, quota, limiter, time) : [],
                own.Count > 0
            )
        );
    }

    private static DayFigures Day(DateOnly day, IReadOnlyDictionary<string, EndpointUsage> endpoints)
    {
        var (all, client, server) = (
            endpoints.Values.Sum(u => u.Requests),
            endpoints.Values.Sum(u => u.ClientErrors),
            endpoints.Values.Sum(u => u.ServerErrors)
        );
        return new(day, Math.Max(0, all - client - server), client, server);
    }

    private static List<EndpointFigures> Endpoints(IReadOnlyDictionary<string, EndpointUsage>[] days)
    {
        var sums = new Dictionary<string, EndpointUsage>();
        foreach (var (endpoint, usage) in days.SelectMany(d => d))
        {
            (sums.TryGetValue(endpoint, out var sum) ? sum : sums[endpoint] = new EndpointUsage()).Add(usage);
        }

        return
        [
            .. sums.OrderByDescending(e => e.Value.Requests)
                .ThenBy(e => e.Key, StringComparer.Ordinal)
                .Take(MaxEndpoints)
                .Select(e => new EndpointFigures(
                    e.Key,
                    e.Value.Requests,
                    e.Value.ClientErrors + e.Value.ServerErrors,
                    LatencyHistogram.Percentile(e.Value.Latencies, 0.95)
                )),
        ];
    }

    // Each key has a quota of its own. If there are many keys, the most recently used ones are read.
    private static async Task<IReadOnlyList<QuotaFigures>> Quotas(
        PortalViewer viewer,
        IReadOnlyList<ApiKeyRecord> keys,
        bool isTest,
        long quota,
        RateLimiter limiter,
        TimeProvider time
    )
    {
        var now = time.GetUtcNow();
        var candidates = keys.Where(k => !k.IsExpired(now))
            .OrderByDescending(k => k.LastUsedAt)
            .Take(MaxKeysAsked)
            .Select(k => (k.Id, k.Name, Shown: k.Prefix + "…" + k.LastFour))
            .ToList();
        var used = await Task.WhenAll(
            candidates.Select(k =>
                limiter
                    .UsageOf(
                        new Caller
                        {
                            Subject = k.Id,
                            KeyId = k.Id,
                            Kind = CallerKind.ApiKey,
                            Tenant = viewer.Tenant,
                            IsSandbox = isTest,
                        }
                    )
                    .AsTask()
            )
        );
        return
        [
            .. candidates
                .Zip(used, (k, u) => new QuotaFigures(k.Name, k.Shown, u.UsedToday, quota))
                .OrderByDescending(q => q.Used)
                .Take(MaxQuotas),
        ];
    }
}
