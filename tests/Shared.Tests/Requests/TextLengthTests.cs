using Bff.Requests;

namespace Bff.Shared.Tests.Requests;

public sealed class TextLengthTests
{
    [Theory]
    [InlineData("", 0, true)]
    [InlineData("abc", 3, true)]
    [InlineData("abcd", 3, false)]
    [InlineData("\U0001F600\U0001F600\U0001F600", 3, true)]
    [InlineData("\U0001F600\U0001F600\U0001F600", 2, false)]
    [InlineData("a\U0001F600", 1, false)]
    [InlineData("e\u0301", 1, false)] // Two code points that are displayed as one character.
    [InlineData("abcdefgh", 3, false)]
    public void The_length_of_a_text_is_counted_in_code_points(string text, int characters, bool isAtMost) =>
        Assert.Equal(isAtMost, TextLength.IsAtMost(text, characters));
}
