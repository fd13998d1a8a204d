using Bff.Configuration;
using Microsoft.Extensions.Configuration;

namespace Bff.Callers.Revoked;

/// <summary>What happens to tokens while the list of revocations cannot be read.</summary>
internal enum RevocationStoreFailure
{
    /// <summary>The last known list stays in force.</summary>
    LastKnown,

    /// <summary>Every token and session gets 503.</summary>
    Reject,
}

/// <summary>Settings of section <c>Authentication:Revocation</c>.</summary>
[Settings("Authentication:Revocation", AtStart = true)]
internal sealed record RevocationSettings
{
    /// <summary>How long a revocation is kept. It must be longer than the longest lifetime of a token.</summary>
    [Setting(Min = "00:01:00", Max = "366.00:00:00")]
    public TimeSpan Retention { get; init; } = TimeSpan.FromDays(30);

    /// <summary>
    /// What happens while the list of revocations cannot be read. <c>LastKnown</c> uses the last list that was read, <c>Reject</c> answers
    /// 503 to every token and session.
    /// </summary>
    [Setting]
    public RevocationStoreFailure OnStoreFailure { get; init; }

    public static RevocationSettings Parse(IConfiguration configuration, ConfigurationMistakes mistakes) =>
        mistakes.Bind(configuration.GetSection("Authentication:Revocation"), new RevocationSettings());
}
