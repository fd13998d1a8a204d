using System.Globalization;

namespace Bff.Routes;

/// <summary>Reads and writes the header <c>grpc-timeout</c> (PROTOCOL-HTTP2): one to eight digits and a unit.</summary>
internal static class GrpcTimeout
{
    private const long MaxDigits = 99_999_999;

    /// <summary>Parses the header; null if it is malformed.</summary>
    public static TimeSpan? Parse(string? text)
    {
        if (
            text is not { Length: >= 2 and <= 9 }
            || !long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
        )
        {
            return null;
        }

        return text[^1] switch
        {
            'H' => TimeSpan.FromTicks(count * TimeSpan.TicksPerHour),
            'M' => TimeSpan.FromTicks(count * TimeSpan.TicksPerMinute),
            'S' => TimeSpan.FromTicks(count * TimeSpan.TicksPerSecond),
            'm' => TimeSpan.FromTicks(count * TimeSpan.TicksPerMillisecond),
            'u' => TimeSpan.FromTicks(count * TimeSpan.TicksPerMicrosecond),
            'n' => TimeSpan.FromTicks(count / TimeSpan.NanosecondsPerTick),
            _ => null,
        };
    }

    /// <summary>Formats a time in the finest unit that fits, rounded down, so that the service never gets more than is left.</summary>
    public static string Write(TimeSpan left)
    {
        foreach (
            var (ticks, unit) in (ReadOnlySpan<(long, char)>)
                [
                    (TimeSpan.TicksPerMicrosecond, 'u'),
                    (TimeSpan.TicksPerMillisecond, 'm'),
                    (TimeSpan.TicksPerSecond, 'S'),
                    (TimeSpan.TicksPerMinute, 'M'),
                ]
        )
        {
            if (left.Ticks / ticks <= MaxDigits)
            {
                return (left.Ticks / ticks).ToString(CultureInfo.InvariantCulture) + unit;
            }
        }

        return Math.Min(left.Ticks / TimeSpan.TicksPerHour, MaxDigits).ToString(CultureInfo.InvariantCulture) + "H";
    }
}
