using Bff.Configuration;

namespace PartnerBff.Webhooks;

/// <summary>Section <c>Webhooks</c>.</summary>
[Settings("Webhooks")]
public sealed class WebhookOptions
{
    /// <summary>0 s, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.</summary>
    private static readonly TimeSpan[] DefaultGaps =
    [
        TimeSpan.Zero,
        TimeSpan.FromSeconds(5),
        TimeSpan.FromMinutes(5),
        TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(2),
        TimeSpan.FromHours(5),
        TimeSpan.FromHours(10),
        TimeSpan.FromHours(14),
        TimeSpan.FromHours(20),
        TimeSpan.FromHours(24),
    ];

    /// <summary>Delays before the attempts to deliver an event; at most 20.</summary>
    [Setting(Min = "00:00:00", Max = "2.00:00:00", Default = "0 s, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h")]
    public TimeSpan[]? Schedule { get; set; }

    /// <summary>Timeout of one attempt, from connecting to the answer.</summary>
    [Setting(Min = "00:00:00.001", Max = "00:01:00")]
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Largest share by which a delay is lengthened at random, so that attempts are spread over time.</summary>
    [Setting(Min = 0, Max = 1)]
    public double Jitter { get; set; } = 0.1;

    /// <summary>Ports that an endpoint's URL may have. The cluster must allow outgoing connections to them.</summary>
    [Setting(Min = 1, Max = 65535, Default = "443; any in Development and with `AllowPrivateNetworks`")]
    public int[]? Ports { get; set; }

    /// <summary>Whether endpoints may have private and loopback addresses; for tests only.</summary>
    [Setting]
    public bool AllowPrivateNetworks { get; set; }

    /// <summary>An endpoint whose deliveries have all failed for this long is disabled.</summary>
    [Setting(Min = "00:00:00.001", Max = "365.00:00:00")]
    public TimeSpan DisableAfter { get; set; } = TimeSpan.FromDays(5);

    internal TimeSpan[] Gaps => Schedule is { Length: > 0 } own ? own : DefaultGaps;

    /// <summary>Lifetime of a claim, after which another instance may take it.</summary>
    internal TimeSpan Lease => 2 * Timeout;
}
