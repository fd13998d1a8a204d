namespace Bff.Concurrency;

/// <summary>
/// Detects when a recurring event begins: its first occurrence, and the first one after none for <see cref="Quiet"/>. Costs one comparison
/// and one write per occurrence. Thread-safe.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class Episode(TimeProvider time)
{
    /// <summary>The time without an occurrence that ends an episode.</summary>
    internal static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);

    private readonly long _quiet = time.ToTimestamps(Quiet);
    private long _latest = long.MinValue;

    /// <summary>Records an occurrence. Returns true to exactly one caller when an episode begins.</summary>
    public bool Begins()
    {
        var now = time.GetTimestamp();
        var latest = Interlocked.Exchange(ref _latest, now);
        return latest == long.MinValue || now - latest >= _quiet;
    }
}
