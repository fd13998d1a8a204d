namespace PartnerBff.Usage;

/// <summary>Identifies a count: account, day and endpoint.</summary>
/// <param name="Account">The tenant, with <c>:test</c> for test keys, so that the modes are kept apart.</param>
/// <param name="Day">Day in UTC.</param>
/// <param name="Endpoint">Method and route.</param>
internal readonly record struct UsageKey(string Account, DateOnly Day, string Endpoint)
{
    public static string AccountOf(string tenant, bool isSandbox) => isSandbox ? tenant + ":test" : tenant;
}

/// <summary>Counts of one endpoint on one day; thread-safe.</summary>
internal sealed class EndpointUsage
{
    private readonly long[] _latencies = new long[LatencyHistogram.Buckets];
    private long _requests;
    private long _clientErrors;
    private long _serverErrors;
    private long _overage;

    public long Requests => Volatile.Read(ref _requests);

    public long ClientErrors => Volatile.Read(ref _clientErrors);

    public long ServerErrors => Volatile.Read(ref _serverErrors);

    /// <summary>Units beyond the daily quota.</summary>
    public long Overage => Volatile.Read(ref _overage);

    public ReadOnlySpan<long> Latencies => _latencies;

    public void Add(int status, TimeSpan latency, long overage)
    {
        Interlocked.Increment(ref _requests);
        Interlocked.Add(ref _overage, overage);
        if (status >= 400)
        {
            Interlocked.Increment(ref status >= 500 ? ref _serverErrors : ref _clientErrors);
        }

        Interlocked.Increment(ref _latencies[LatencyHistogram.BucketOf(latency)]);
    }

    public void Add(EndpointUsage other)
    {
        foreach (var (name, count) in other.Fields())
        {
            Add(name, count);
        }
    }

    /// <summary>Returns the counts by their stored names: n, c, s, o and b0 to b69; zeros are left out.</summary>
    public IEnumerable<KeyValuePair<string, long>> Fields()
    {
        var fixedFields = new KeyValuePair<string, long>[]
        {
            new("n", Requests),
            new("c", ClientErrors),
            new("s", ServerErrors),
            new("o", Overage),
        };
        return fixedFields.Concat(_latencies.Select((count, i) => KeyValuePair.Create("b" + i, count))).Where(f => f.Value > 0);
    }

    /// <summary>Adds to a count by its stored name; unknown names, from another version, are ignored.</summary>
    public void Add(string name, long count)
    {
        switch (name)
        {
            case "n":
                Interlocked.Add(ref _requests, count);
                break;
            case "c":
                Interlocked.Add(ref _clientErrors, count);
                break;
            case "s":
                Interlocked.Add(ref _serverErrors, count);
                break;
            case "o":
                Interlocked.Add(ref _overage, count);
                break;
            case ['b', ..] when int.TryParse(name.AsSpan(1), out var bucket) && bucket is >= 0 and < LatencyHistogram.Buckets:
                Interlocked.Add(ref _latencies[bucket], count);
                break;
        }
    }
}
