using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Bff.Events;

/// <summary>
/// A place in the event log: the millisecond at which an event was taken, and its order within that millisecond. Written as
/// <c>1767225600000-8675309</c>. Later events compare as greater.
/// </summary>
/// <param name="Milliseconds">Milliseconds since 1970 on the log's clock. Not negative.</param>
/// <param name="Sequence">
/// Order within the millisecond. Not negative. Its lowest <see cref="StampBits"/> bits are the stamp of the last event up to the place.
/// </param>
public readonly record struct EventId(long Milliseconds, long Sequence) : IComparable<EventId>
{
    private const int MaxLength = 40;

    /// <summary>
    /// Number of bits of a stamp. A stamp is random, so a log that has lost an event to a failover and taken others since does not
    /// recognize the event's place, although it has passed it. Redis counts exactly in scripts up to 2^53; the remaining bits are enough
    /// for the events of any millisecond.
    /// </summary>
    internal const int StampBits = 24;

    /// <summary>Returns the place just before everything that was taken at this moment or later.</summary>
    public static EventId JustBefore(DateTimeOffset moment) => new(Math.Max(0, moment.ToUnixTimeMilliseconds() - 1), long.MaxValue);

    /// <summary>Whether the place was made from a moment rather than handed out by the log.</summary>
    internal bool IsTime => Sequence == long.MaxValue;

    /// <summary>Stamp of the last event up to this place.</summary>
    internal long Stamp => Sequence & ((1 << StampBits) - 1);

    /// <summary>When the event was taken.</summary>
    public DateTimeOffset At => DateTimeOffset.FromUnixTimeMilliseconds(Milliseconds);

    /// <summary>Returns a random stamp, so that a repetition is unlikely.</summary>
    internal static long NewStamp() => Random.Shared.NextInt64(1, 1 << StampBits);

    /// <summary>Returns the place of an event that is taken now, after this one. It is later even if the clock is not.</summary>
    internal EventId Next(long now, long stamp) =>
        now > Milliseconds ? new(now, stamp) : this with { Sequence = (((Sequence >> StampBits) + 1) << StampBits) + stamp };

    /// <summary>Reads exactly the form that <see cref="ToString"/> writes.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out EventId id)
    {
        id = default;
        if (text is null || text.Length > MaxLength || text.IndexOf('-', StringComparison.Ordinal) is not (> 0 and var dash))
        {
            return false;
        }

        if (
            !long.TryParse(text.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            || !long.TryParse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            || milliseconds > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
        )
        {
            return false;
        }

        id = new(milliseconds, sequence);
        return id.ToString() == text;
    }

    /// <inheritdoc />
    public int CompareTo(EventId other) =>
        Milliseconds != other.Milliseconds ? Milliseconds.CompareTo(other.Milliseconds) : Sequence.CompareTo(other.Sequence);

    /// <inheritdoc />
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Milliseconds}-{Sequence}");

#pragma warning disable CS1591 // CompareTo documents the order.
    public static bool operator <(EventId left, EventId right) => left.CompareTo(right) < 0;

    public static bool operator >(EventId left, EventId right) => left.CompareTo(right) > 0;

    public static bool operator <=(EventId left, EventId right) => left.CompareTo(right) <= 0;

    public static bool operator >=(EventId left, EventId right) => left.CompareTo(right) >= 0;
#pragma warning restore CS1591
}
