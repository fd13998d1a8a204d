namespace PartnerBff.Portal.Overview;

/// <summary>Numbers of requests on one day.</summary>
public sealed record DayFigures(DateOnly Day, long Ok, long ClientErrors, long ServerErrors)
{
    /// <summary>Number of all requests.</summary>
    public long Requests => Ok + ClientErrors + ServerErrors;
}

/// <summary>Requests to one endpoint in the last days.</summary>
public sealed record EndpointFigures(string Endpoint, long Requests, long Errors, double P95Ms);

/// <summary>A key's use of today's quota.</summary>
public sealed record QuotaFigures(string Name, string Shown, long Used, long Limit)
{
    /// <summary>Used share in percent, 0 to 100.</summary>
    public int Percent => Limit == 0 ? 100 : (int)Math.Min(100, Used * 100 / Limit);
}

/// <summary>The figures on the first page.</summary>
public sealed record OverviewFigures(
    bool IsTest,
    IReadOnlyList<DayFigures> Days,
    IReadOnlyList<EndpointFigures> Endpoints,
    double P95Ms,
    PlanFigures Plan,
    IReadOnlyList<QuotaFigures> Quotas,
    bool HasKeys
)
{
    /// <summary>Figures of the last day.</summary>
    public DayFigures Today => Days[^1];

    /// <summary>Number of requests on all days.</summary>
    public long Requests => Days.Sum(d => d.Requests);
}

/// <summary>The agreed plan.</summary>
public sealed record PlanFigures(
    string Name,
    long RequestsPerMinute,
    long Burst,
    long? RequestsPerDay,
    long? MaxPayloadBytes,
    bool IsReadOnly,
    bool Overage,
    string? Price,
    string? Support,
    string? Sla
)
{
    internal static PlanFigures Of(Bff.Tenancy.Plan plan) =>
        new(
            plan.Name,
            plan.RequestsPerMinute,
            plan.Burst,
            plan.RequestsPerDay,
            plan.MaxPayloadBytes,
            plan.IsReadOnly,
            plan.Overage,
            plan.Price,
            plan.Support,
            plan.Sla
        );
}
