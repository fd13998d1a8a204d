using System.Globalization;
using System.Text;

namespace Bff.Dev.Upstreams;

/// <summary><c>?limit=</c> (1 to 100, default 20) and <c>?cursor=</c>, which contains the position of the last item sent.</summary>
internal readonly record struct Paging(int Limit, int? After)
{
    private const int DefaultLimit = 20;
    private const int MaxLimit = 100;

    public static async ValueTask<Paging?> ReadAsync(Exchange exchange, int defaultLimit = DefaultLimit)
    {
        var limit = defaultLimit;
        if (
            exchange.Request.Query["limit"] is [{ } text]
            && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit < 1)
        )
        {
            await Answer.ProblemAsync(exchange, 400, "invalid_limit", "limit is a number from 1 to 100.");
            return null;
        }
        if (exchange.Request.Query["cursor"] is not [{ Length: > 0 } cursor])
            return new Paging(Math.Min(limit, MaxLimit), null);
        if (Decode(cursor) is { } after)
            return new Paging(Math.Min(limit, MaxLimit), after);

        await Answer.ProblemAsync(exchange, 400, "invalid_cursor", "The cursor is not one that this service gave out.");
        return null;
    }

    public static string Encode(int position) =>
        Convert.ToBase64String(Encoding.ASCII.GetBytes($"at:{position}")).Replace('+', '-').Replace('/', '_').TrimEnd('=');

    private static int? Decode(string cursor)
    {
        Span<byte> bytes = stackalloc byte[32];
        var padded = cursor.Replace('-', '+').Replace('_', '/').PadRight((cursor.Length + 3) / 4 * 4, '=');
        if (cursor.Length > 40 || !Convert.TryFromBase64String(padded, bytes, out var length))
            return null;
        var text = Encoding.ASCII.GetString(bytes[..length]);
        return
            text.StartsWith("at:", StringComparison.Ordinal)
            && int.TryParse(text.AsSpan(3), NumberStyles.None, CultureInfo.InvariantCulture, out var position)
            ? position
            : null;
    }
}
