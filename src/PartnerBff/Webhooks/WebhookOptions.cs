using Microsoft.Extensions.Options;

namespace PartnerBff.Webhooks;

/// <summary>Section <c>Webhooks</c>.</summary>
public sealed class WebhookOptions
{
    /// <summary>0 s, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.</summary>
    private static readonly TimeSpan[] DefaultGaps =
    [
        TimeSpan.Zero, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5),
        TimeSpan.FromHours(10), TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
    ];

    /// <summary>The gap before each attempt.</summary>
    public TimeSpan[]? Schedule { get; set; }

    /// <summary>One attempt, from connecting to the answer.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>A gap is longer by up to this share of itself, so that attempts spread.</summary>
    public double Jitter { get; set; } = 0.1;

    /// <summary>For tests: private and loopback addresses are allowed.</summary>
    public bool AllowPrivateNetworks { get; set; }

    /// <summary>An endpoint that has only failed for so long is disabled.</summary>
    public TimeSpan DisableAfter { get; set; } = TimeSpan.FromDays(5);

    internal TimeSpan[] Gaps => Schedule is { Length: > 0 } own ? own : DefaultGaps;

    /// <summary>A claim that is older than this is another instance's to take.</summary>
    internal TimeSpan Lease => 2 * Timeout;
}

internal sealed class WebhookOptionsValidator : IValidateOptions<WebhookOptions>
{
    public ValidateOptionsResult Validate(string? name, WebhookOptions options)
    {
        var mistakes = new List<string>();
        if (options.Gaps.Any(g => g < TimeSpan.Zero || g > TimeSpan.FromDays(2)) || options.Gaps.Length > 20)
        {
            mistakes.Add("Webhooks:Schedule: give at most 20 time spans from 00:00:00 to 2.00:00:00.");
        }

        if (options.Timeout <= TimeSpan.Zero || options.Timeout > TimeSpan.FromMinutes(1))
        {
            mistakes.Add("Webhooks:Timeout: must be above 0 and at most 00:01:00.");
        }

        if (options.Jitter is not (>= 0 and <= 1))
        {
            mistakes.Add("Webhooks:Jitter: give a number from 0 to 1.");
        }

        if (options.DisableAfter <= TimeSpan.Zero)
        {
            mistakes.Add("Webhooks:DisableAfter: must be above 0.");
        }

        return mistakes.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(mistakes);
    }
}
