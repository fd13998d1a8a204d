namespace Bff.Concurrency;

/// <summary>
/// Tells the beginning of something that happens again and again: its first occurrence, and the first one after there was none for
/// <see cref="Quiet"/>.
/// One comparison and one write per occurrence; any thread may call.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class Episode(TimeProvider time)
{
    /// <summary>How long there was none when the next one is a beginning again.</summary>
    internal static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);

    private readonly long _quiet = time.ToTimestamps(Quiet);
    private long _latest = long.MinValue;

    /// <summary>Notes an occurrence; true when it is the first of an episode, which is said to one caller alone.</summary>
    public bool Begins()
    {
        var now = time.GetTimestamp();
        var latest = Interlocked.Exchange(ref _latest, now);
        return latest == long.MinValue || now - latest >= _quiet;
    }
}
