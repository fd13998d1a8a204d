using Bff.Configuration;

namespace Bff.Admission;

/// <summary>Settings of section <c>Admission</c>.</summary>
[Settings("Admission")]
public sealed class AdmissionOptions
{
    /// <summary>Maximum number of concurrent requests of the host: the upper bound of the adaptive limit.</summary>
    [Setting(Min = 1, Max = 1_000_000)]
    public int MaxConcurrency { get; set; } = 1000;

    /// <summary>Maximum number of requests that wait for admission. Each waits one second at most.</summary>
    [Setting(Min = 0, Max = 1_000_000, Default = "`MaxConcurrency`")]
    public int? MaxQueue { get; set; }

    /// <summary>
    /// The lowest value of the adaptive limit: an eighth of the ceiling, but at least 16, because with fewer requests mere chance looks
    /// like overload.
    /// </summary>
    internal int MinConcurrency => Math.Min(MaxConcurrency, Math.Max(16, MaxConcurrency / 8));
}
