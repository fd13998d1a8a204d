using System.Globalization;

namespace Bff.Tenancy;

/// <summary>
/// A token bucket (and the day's quota beside it) in whole numbers: a token is 60 000 000 units, so that a bucket gains exactly
/// <c>RequestsPerMinute</c> units per microsecond and nothing is ever rounded.
/// </summary>
/// <param name="Name">In <c>RateLimit-Policy</c> and <c>violated-policies</c>.</param>
/// <param name="Burst">Tokens that a full bucket holds.</param>
/// <param name="PerMinute">Tokens that it gains per minute.</param>
/// <param name="PerDay">Tokens per UTC day; null: unlimited.</param>
/// <param name="DayCeiling">Tokens per day at which admission ends, when that is later than <paramref name="PerDay"/>.</param>
internal sealed record BucketPolicy(string Name, long Burst, long PerMinute, long? PerDay = null, long? DayCeiling = null)
{
    public const string BurstName = "burst";
    public const string DailyName = "daily";
    public const string TenantName = "tenant";
    public const string EndpointName = "endpoint";
    public const long UnitsPerToken = 60_000_000;
    public const long MicrosPerDay = 86_400_000_000;

    /// <summary>Keeps all arithmetic below 2^53, which is where Lua's numbers stop being whole.</summary>
    public const long Max = 10_000_000;

    private readonly RateLimitText?[] _texts = new RateLimitText?[Math.Min(Burst, 4096) + 1];

    public long CapacityUnits { get; } = Burst * UnitsPerToken;

    /// <summary>Seconds in which an empty bucket refills, rounded up.</summary>
    public long WindowSeconds { get; } = ((Burst * 60) + PerMinute - 1) / PerMinute;

    /// <summary>What one instance may hold without asking: 5 % of the bucket.</summary>
    public int LeaseMax { get; } = (int)(Burst / 20);

    /// <summary>A lease is renewed in the background from here on, but never for fewer than 20 tokens where 20 are possible.</summary>
    public int LeaseLow { get; } = (int)Math.Max(0, Math.Min(Burst / 20 / 5, (Burst / 20) - 20));

    /// <summary>With fewer left in the store it has been emptied, as far as leases go.</summary>
    public int LeaseRest { get; } = (int)Math.Max(1, Burst / 20 / 4);

    /// <summary>The day's tokens that may be taken at all.</summary>
    public long? Ceiling => DayCeiling ?? PerDay;

    public string LimitText { get; } = Burst.ToString(CultureInfo.InvariantCulture);

    public string DayLimitText { get; } = PerDay?.ToString(CultureInfo.InvariantCulture) ?? "";

    public string HeaderText { get; } =
        string.Create(CultureInfo.InvariantCulture, $"\"{Name}\";q={Burst};w={((Burst * 60) + PerMinute - 1) / PerMinute}")
        + (PerDay is { } day ? string.Create(CultureInfo.InvariantCulture, $", \"{DailyName}\";q={day};w=86400") : "");

    /// <summary>Units after a time without spending.</summary>
    public long Refilled(long units, long elapsedMicros)
    {
        var missing = CapacityUnits - units;
        return missing <= 0 || (elapsedMicros > 0 && elapsedMicros >= (missing + PerMinute - 1) / PerMinute)
            ? CapacityUnits
            : units + (Math.Max(0, elapsedMicros) * PerMinute);
    }

    /// <summary>Microseconds until a bucket of so many units has so many; 0 when it has.</summary>
    public long MicrosUntil(long wantedUnits, long units) => units >= wantedUnits ? 0 : (wantedUnits - units + PerMinute - 1) / PerMinute;

    /// <summary><c>"burst";r=12;t=30</c>, made once per remaining count for as long as the time stays the same.</summary>
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

/// <summary>A formatted header value and the numbers that it names.</summary>
internal sealed record RateLimitText(long Remaining, long Seconds, string Text);
