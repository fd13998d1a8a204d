using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Bff.Events;

/// <summary>
/// A place in the event log: the millisecond at which an event was taken, and its order within it. Written <c>1767225600000-8675309</c>;
/// later events compare as greater.
/// </summary>
/// <param name="Milliseconds">Since 1970, on the log's clock; not negative.</param>
/// <param name="Sequence">Within the millisecond; not negative. Its lowest <see cref="StampBits"/> bits are the stamp of the last event up
/// to the place.</param>
public readonly record struct EventId(long Milliseconds, long Sequence) : IComparable<EventId>
{
    private const int MaxLength = 40;

    /// <summary>
    /// Bits of a stamp, which is random: a log that has lost an event to a failover, and taken others since, knows the place no more,
    /// though it has got past it. What is left of 2^53, up to which Redis counts exactly in scripts, is enough for the events of any
    /// millisecond.
    /// </summary>
    internal const int StampBits = 24;

    /// <summary>The place just before everything that was taken at this moment or later.</summary>
    public static EventId JustBefore(DateTimeOffset moment) => new(Math.Max(0, moment.ToUnixTimeMilliseconds() - 1), long.MaxValue);

    /// <summary>Whether it was made from a moment, and not handed out by the log.</summary>
    internal bool IsTime => Sequence == long.MaxValue;

    /// <summary>Of the last event up to this place.</summary>
    internal long Stamp => Sequence & ((1 << StampBits) - 1);

    /// <summary>When the event was taken.</summary>
    public DateTimeOffset At => DateTimeOffset.FromUnixTimeMilliseconds(Milliseconds);

    /// <summary>Another one each time, as far as can be.</summary>
    internal static long NewStamp() => Random.Shared.NextInt64(1, 1 << StampBits);

    /// <summary>The place of an event that is taken now, after this one: later, also when the clock is not.</summary>
    internal EventId Next(long now, long stamp) =>
        now > Milliseconds ? new(now, stamp) : this with { Sequence = (((Sequence >> StampBits) + 1) << StampBits) + stamp };

    /// <summary>Reads the one spelling that <see cref="ToString"/> writes.</summary>
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

#pragma warning disable CS1591 // The order that CompareTo documents.
    public static bool operator <(EventId left, EventId right) => left.CompareTo(right) < 0;

    public static bool operator >(EventId left, EventId right) => left.CompareTo(right) > 0;

    public static bool operator <=(EventId left, EventId right) => left.CompareTo(right) <= 0;

    public static bool operator >=(EventId left, EventId right) => left.CompareTo(right) >= 0;
#pragma warning restore CS1591
}
