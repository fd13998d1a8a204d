using Bff.Paging;
using Bff.Requests;

namespace Bff.Shared.Tests.Paging;

public sealed class PageLimitTests
{
    [Theory]
    [InlineData(null, 20)]
    [InlineData("1", 1)]
    [InlineData("007", 7)]
    [InlineData("100", 100)]
    [InlineData("101", 100)]
    [InlineData("99999999999999999999999999", 100)]
    public void A_limit_is_accepted_up_to_the_maximum(string? limit, int expected) => Assert.Equal(expected, PageLimit.Of(limit));

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("000")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("1.5")]
    [InlineData(" 1")]
    [InlineData("ten")]
    [InlineData("\u0661")] // A digit that is not an ASCII digit.
    public void An_invalid_limit_is_refused(string limit)
    {
        var refused = Assert.Throws<ProblemException>(() => PageLimit.Of(limit)).Problem;

        Assert.Equal("validation_failed", refused.Code.Code);
        Assert.Equal(["limit"], refused.Errors!.Keys);
    }
}
