using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Bff.Events;

/// <summary>A place in the event log: the millisecond at which an event was taken, and its number within it. Written <c>1767225600000-0</c>; later events compare as greater.</summary>
/// <param name="Milliseconds">Since 1970, on the log's clock; not negative.</param>
/// <param name="Sequence">Within the millisecond; not negative.</param>
public readonly record struct EventId(long Milliseconds, long Sequence) : IComparable<EventId>
{
    private const int MaxLength = 40;

    /// <summary>The place just before everything that was taken at this moment or later.</summary>
    public static EventId JustBefore(DateTimeOffset moment) => new(Math.Max(0, moment.ToUnixTimeMilliseconds() - 1), long.MaxValue);

    /// <summary>Whether it was made from a moment, and not handed out by the log.</summary>
    internal bool IsTime => Sequence == long.MaxValue;

    /// <summary>When the event was taken.</summary>
    public DateTimeOffset At => DateTimeOffset.FromUnixTimeMilliseconds(Milliseconds);

    /// <summary>Reads the one spelling that <see cref="ToString"/> writes.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out EventId id)
    {
        id = default;
        if (text is null || text.Length > MaxLength || text.IndexOf('-', StringComparison.Ordinal) is not (> 0 and var dash))
        {
            return false;
        }

        if (!long.TryParse(text.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            || !long.TryParse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            || milliseconds > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())
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
