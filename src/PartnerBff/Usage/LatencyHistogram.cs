namespace PartnerBff.Usage;

/// <summary>
/// Latencies in buckets that each reach 20 % further than the one before: a percentile is right to that much, and buckets of many instances
/// add up.
/// </summary>
internal static class LatencyHistogram
{
    /// <summary>The last one holds everything longer than about five minutes.</summary>
    public const int Buckets = 70;

    private const double Growth = 1.2;

    /// <summary>Bucket 0 reaches to 1 ms.</summary>
    public static int BucketOf(TimeSpan latency) =>
        latency.TotalMilliseconds <= 1 ? 0 : Math.Min(Buckets - 1, (int)Math.Ceiling(Math.Log(latency.TotalMilliseconds, Growth)));

    /// <summary>The upper end, in milliseconds, of the bucket in which the percentile (0 to 1) lies.</summary>
    public static double Percentile(ReadOnlySpan<long> counts, double percentile)
    {
        var total = 0L;
        foreach (var count in counts)
        {
            total += count;
        }

        var wanted = Math.Max(1, (long)Math.Ceiling(total * percentile));
        var seen = 0L;
        for (var i = 0; i < counts.Length; i++)
        {
            seen += counts[i];
            if (seen >= wanted)
            {
                return Math.Round(Math.Pow(Growth, i), 1);
            }
        }

        return 0;
    }
}
