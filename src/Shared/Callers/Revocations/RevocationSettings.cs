using Bff.Configuration;
using Microsoft.Extensions.Configuration;

namespace Bff.Callers;

/// <summary>What happens to tokens while the list of revoked ones cannot be read.</summary>
internal enum RevocationStoreFailure
{
    /// <summary>The last known list goes on.</summary>
    LastKnown,

    /// <summary>503 for every token and session.</summary>
    Reject,
}

/// <summary>Section <c>Authentication:Revocation</c>.</summary>
/// <param name="Retention">How long a revocation is kept: longer than the longest life of a token.</param>
/// <param name="OnStoreFailure">What happens while the store is away.</param>
internal sealed record RevocationSettings(TimeSpan Retention, RevocationStoreFailure OnStoreFailure)
{
    public static RevocationSettings Parse(IConfiguration configuration, ConfigurationMistakes mistakes)
    {
        var section = configuration.GetSection("Authentication:Revocation");
        return new(
            mistakes.Read(section, "Retention", TimeSpan.FromDays(30), TimeSpan.FromMinutes(1), TimeSpan.FromDays(366)),
            mistakes.Read(section, "OnStoreFailure", RevocationStoreFailure.LastKnown));
    }
}
