namespace Bff.Dev.Upstreams.Data;

/// <summary>SplitMix64: the same seed gives the same data on every machine and runtime.</summary>
internal struct Dice(ulong seed)
{
    private ulong state = seed * 0x9E3779B97F4A7C15;

    /// <summary>Returns a number from <paramref name="low"/> to <paramref name="high"/>, both included.</summary>
    public int Roll(int low, int high) => low + (int)(Next() % (ulong)(high - low + 1));

    public T Pick<T>(ReadOnlySpan<T> from) => from[Roll(0, from.Length - 1)];

    private ulong Next()
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
