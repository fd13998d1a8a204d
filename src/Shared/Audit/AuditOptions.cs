using Bff.Configuration;

namespace Bff.Audit;

/// <summary>Settings of section <c>Audit</c>.</summary>
[Settings("Audit")]
public sealed class AuditOptions
{
    /// <summary>How long an audit entry is kept.</summary>
    [Setting(Min = "1.00:00:00", Max = "3660.00:00:00")]
    public TimeSpan Retention { get; set; } = TimeSpan.FromDays(365);

    /// <summary>Maximum number of audit entries that are kept, both for each tenant and for all tenants together.</summary>
    [Setting(Min = 100, Max = 10_000_000)]
    public int MaxEntries { get; set; } = 100_000;
}
