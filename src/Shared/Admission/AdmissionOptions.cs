namespace Bff.Admission;

/// <summary>Section <c>Admission</c>.</summary>
public sealed class AdmissionOptions
{
    /// <summary>Requests that the host serves at once at most, the ceiling of the adaptive limit; 1 to 1 000 000.</summary>
    public int MaxConcurrency { get; set; } = 1000;

    /// <summary>Requests that wait at most, each for a second at most; 0 to 1 000 000; null: as many as <see cref="MaxConcurrency"/>.</summary>
    public int? MaxQueue { get; set; }

    /// <summary>What the adaptive limit does not go below: an eighth of the ceiling, but not so few that chance alone looks like overload.</summary>
    internal int MinConcurrency => Math.Min(MaxConcurrency, Math.Max(16, MaxConcurrency / 8));
}
