using Bff.Callers.Bearer;

namespace Bff.Shared.Tests.Callers.Bearer;

public sealed class TokenMemoryTests
{
    [Fact]
    public void The_token_cache_stays_within_its_size_and_keeps_tokens_in_use()
    {
        const int MaxBytes = 1 << 20;
        var memory = new TokenMemory<string>(MaxBytes);
        memory.Set("in use", "yes");
        string Token(int i) => $"{i:d6}{new string('x', 250)}";

        for (var i = 0; i < 20_000; i++)
        {
            memory.Set(Token(i), "yes");
            Assert.True(memory.TryGet("in use", out _));
        }

        var kept = Enumerable.Range(0, 20_000).Count(i => memory.TryGet(Token(i), out _));
        Assert.InRange(kept, 100, MaxBytes / (2 * 256)); // A character takes two bytes, and each entry takes more for the token's data.
        Assert.True(memory.TryGet(Token(19_999), out _));
    }

    [Fact]
    public void A_removed_token_is_removed_from_both_generations()
    {
        var memory = new TokenMemory<string>(8192);
        memory.Set("old", "yes");
        for (var i = 0; i < 5; i++)
        {
            memory.Set("filler " + i, "yes");
        }

        memory.Remove("old");

        Assert.False(memory.TryGet("old", out _));
    }
}
