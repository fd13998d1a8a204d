namespace PartnerBff.Usage;

/// <summary>
/// Counts latencies in buckets that each reach 20 % further than the previous one. A percentile is accurate to 20 %, and the buckets of
/// several instances can be added.
/// </summary>
internal static class LatencyHistogram
{
    /// <summary>Number of buckets; the last one holds everything longer than about five minutes.</summary>
    public const int Buckets = 70;

    private const double Growth = 1.2;

    /// <summary>Returns the bucket of a latency; bucket 0 reaches to 1 ms.</summary>
    public static int BucketOf(TimeSpan latency) =>
        latency.TotalMilliseconds <= 1 ? 0 : Math.Min(Buckets - 1, (int)Math.Ceiling(Math.Log(latency.TotalMilliseconds, Growth)));

    /// <summary>Returns the upper bound, in milliseconds, of the bucket with the percentile (0 to 1).</summary>
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
