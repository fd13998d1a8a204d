using Bff.Callers.Bearer;

namespace Bff.Shared.Tests.Callers.Bearer;

public sealed class TokenMemoryTests
{
    [Fact]
    public void However_many_tokens_come_few_are_remembered_and_those_in_use_among_them()
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
    public void What_is_removed_is_forgotten_whichever_generation_has_it()
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
