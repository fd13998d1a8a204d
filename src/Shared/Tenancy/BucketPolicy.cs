using System.Globalization;

namespace Bff.Tenancy;

/// <summary>
/// The policy of a token bucket, with an optional daily quota, in whole numbers. A token is 60 000 000 units, so that a bucket gains
/// exactly <c>RequestsPerMinute</c> units per microsecond and nothing is ever rounded.
/// </summary>
/// <param name="Name">Name in <c>RateLimit-Policy</c> and <c>violated-policies</c>.</param>
/// <param name="Burst">Tokens that a full bucket holds.</param>
/// <param name="PerMinute">Tokens that the bucket gains per minute.</param>
/// <param name="PerDay">Tokens per UTC day. Null: unlimited.</param>
/// <param name="DayCeiling">Tokens per day at which admission ends, if that is more than <paramref name="PerDay"/>.</param>
internal sealed record BucketPolicy(string Name, long Burst, long PerMinute, long? PerDay = null, long? DayCeiling = null)
{
    public const string BurstName = "burst";
    public const string DailyName = "daily";
    public const string TenantName = "tenant";
    public const string EndpointName = "endpoint";
    public const long UnitsPerToken = 60_000_000;
    public const long MicrosPerDay = 86_400_000_000;

    /// <summary>Largest setting. Keeps all arithmetic below 2^53, beyond which Lua's numbers are no longer exact integers.</summary>
    public const long Max = 10_000_000;

    private readonly RateLimitText?[] _texts = new RateLimitText?[Math.Min(Burst, 4096) + 1];

    public long CapacityUnits { get; } = Burst * UnitsPerToken;

    /// <summary>Seconds in which an empty bucket refills, rounded up.</summary>
    public long WindowSeconds { get; } = ((Burst * 60) + PerMinute - 1) / PerMinute;

    /// <summary>Tokens that one instance may hold on lease: 5 % of the bucket.</summary>
    public int LeaseMax { get; } = (int)(Burst / 20);

    /// <summary>
    /// Number of tokens at which a lease is renewed in the background. A renewal asks for at least 20 tokens if 20 are possible.
    /// </summary>
    public int LeaseLow { get; } = (int)Math.Max(0, Math.Min(Burst / 20 / 5, (Burst / 20) - 20));

    /// <summary>Number of tokens in the store below which the bucket counts as empty for leases.</summary>
    public int LeaseRest { get; } = (int)Math.Max(1, Burst / 20 / 4);

    /// <summary>Tokens that may be taken per day, including overage.</summary>
    public long? Ceiling => DayCeiling ?? PerDay;

    public string LimitText { get; } = Burst.ToString(CultureInfo.InvariantCulture);

    public string DayLimitText { get; } = PerDay?.ToString(CultureInfo.InvariantCulture) ?? "";

    public string HeaderText { get; } =
        string.Create(CultureInfo.InvariantCulture, $"\"{Name}\";q={Burst};w={((Burst * 60) + PerMinute - 1) / PerMinute}")
        + (PerDay is { } day ? string.Create(CultureInfo.InvariantCulture, $", \"{DailyName}\";q={day};w=86400") : "");

    /// <summary>Returns the units after a time without spending.</summary>
    public long Refilled(long units, long elapsedMicros)
    {
        var missing = CapacityUnits - units;
        return missing <= 0 || (elapsedMicros > 0 && elapsedMicros >= (missing + PerMinute - 1) / PerMinute)
            ? CapacityUnits
            : units + (Math.Max(0, elapsedMicros) * PerMinute);
    }

    /// <summary>
    /// Returns the microseconds until a bucket with <paramref name="units"/> has <paramref name="wantedUnits"/>. 0 if it already has.
    /// </summary>
    public long MicrosUntil(long wantedUnits, long units) => units >= wantedUnits ? 0 : (wantedUnits - units + PerMinute - 1) / PerMinute;

    /// <summary>Returns <c>"burst";r=12;t=30</c>, cached per remaining count while the time stays the same.</summary>
    public string RateLimitText(long remaining, long seconds)
    {
        ref var place = ref _texts[(ulong)remaining % (ulong)_texts.Length];
        var known = place;
        if (known is null || known.Remaining != remaining || known.Seconds != seconds)
        {
            place = known = new(remaining, seconds, Format(Name, remaining, seconds));
        }

        return known.Text;
    }

    public static string Format(string name, long remaining, long seconds) =>
        string.Create(CultureInfo.InvariantCulture, $"\"{name}\";r={remaining};t={seconds}");

    public bool Equals(BucketPolicy? other) =>
        other is not null
        && (Name, Burst, PerMinute, PerDay, DayCeiling) == (other.Name, other.Burst, other.PerMinute, other.PerDay, other.DayCeiling);

    public override int GetHashCode() => HashCode.Combine(Name, Burst, PerMinute, PerDay, DayCeiling);
}

/// <summary>A formatted header value with the numbers in it.</summary>
internal sealed record RateLimitText(long Remaining, long Seconds, string Text);
