using System.Globalization;
using Bff.Requests;

namespace Bff.Shared.Tests.Requests;

public sealed class Rfc3339Tests
{
    [Theory]
    [InlineData("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.0000000Z")]
    [InlineData("2026-01-02t03:04:05z", "2026-01-02T03:04:05.0000000Z")]
    [InlineData("2026-01-02T03:04:05.5Z", "2026-01-02T03:04:05.5000000Z")]
    [InlineData("2026-01-02T03:04:05.123456789Z", "2026-01-02T03:04:05.1234567Z")]
    [InlineData("2026-01-02T03:04:05.123456789123+01:00", "2026-01-02T02:04:05.1234567Z")]
    [InlineData("2026-01-02T03:04:05-05:30", "2026-01-02T08:34:05.0000000Z")]
    public void A_time_is_parsed_with_the_digits_that_can_be_stored(string text, string moment)
    {
        Assert.True(Rfc3339.TryParse(text, out var read));
        Assert.Equal(moment, read.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
        Assert.True(Rfc3339.TryParseOrDay(text, out var same));
        Assert.Equal(read, same);
    }

    [Theory]
    [InlineData("2026-01-02")]
    [InlineData("2026-01-02T00:00:00")]
    [InlineData("2026-01-02T00:00:00.000")]
    public void A_day_or_a_time_without_an_offset_is_parsed_only_where_allowed(string text)
    {
        Assert.False(Rfc3339.TryParse(text, out _));
        Assert.True(Rfc3339.TryParseOrDay(text, out var read));
        Assert.Equal(new DateTimeOffset(2026, 1, 2, 0, 0, 0, TimeSpan.Zero), read);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("1/2/2026")]
    [InlineData("01/02/2026T00:00:00Z")]
    [InlineData("2026-1-2")]
    [InlineData("12:30")]
    [InlineData("Friday")]
    [InlineData("2026-01-02 03:04:05Z")]
    [InlineData("2026-01-02T03:04:05 01:00")]
    [InlineData("2026-02-30T00:00:00Z")]
    [InlineData("2026-01-02T03:04:05.12345678x")]
    [InlineData("0001-01-01T00:00:00+14:00")]
    public void An_invalid_time_is_not_parsed(string? text)
    {
        Assert.False(Rfc3339.TryParse(text, out _));
        Assert.False(Rfc3339.TryParseOrDay(text, out _));
    }
}
