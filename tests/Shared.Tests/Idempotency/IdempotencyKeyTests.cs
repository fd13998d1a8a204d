using Bff.Idempotency;

namespace Bff.Shared.Tests.Idempotency;

public sealed class IdempotencyKeyTests
{
    [Theory]
    [InlineData("abc", "abc")]
    [InlineData("\"abc\"", "abc")]
    [InlineData("a b", "a b")]
    [InlineData("\"a \\\"b\\\\ c\"", "a \"b\\ c")]
    [InlineData("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324")]
    public void A_key_may_be_quoted_or_bare(string header, string key) => Assert.Equal(key, IdempotencyKey.Parse(header));

    [Theory]
    [InlineData("")]
    [InlineData("\"\"")]
    [InlineData("\"abc")]
    [InlineData("\"abc\"d")]
    [InlineData("\"a\\x\"")]
    [InlineData("a\"b")]
    [InlineData("kéy")]
    public void An_invalid_key_is_not_parsed(string header) => Assert.Null(IdempotencyKey.Parse(header));

    [Fact]
    public void A_key_has_at_most_255_characters()
    {
        Assert.NotNull(IdempotencyKey.Parse(new string('k', 255)));
        Assert.Null(IdempotencyKey.Parse(new string('k', 256)));
        Assert.NotNull(IdempotencyKey.Parse('"' + new string('k', 255) + '"'));
    }

    [Fact]
    public void Different_lists_of_names_never_give_the_same_scope() =>
        Assert.NotEqual(IdempotencyKey.Scope("a", "bc"), IdempotencyKey.Scope("ab", "c"));
}
