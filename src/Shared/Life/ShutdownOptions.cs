using Bff.Configuration;

namespace Bff.Life;

/// <summary>Section <c>Shutdown</c>.</summary>
[Settings("Shutdown")]
public sealed class ShutdownOptions
{
    /// <summary>
    /// How long the host still serves requests after SIGTERM, so that the load balancer can remove it. The process's grace period must be
    /// 30 s longer.
    /// </summary>
    [Setting(Min = "00:00:00", Max = "00:05:00")]
    public TimeSpan Delay { get; set; } = TimeSpan.FromSeconds(5);
}
