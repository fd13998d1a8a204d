namespace Bff.Composition;

/// <summary>Lets an endpoint say a time with its unit: <c>using static Bff.Composition.Durations;</c>.</summary>
public static class Durations
{
    /// <summary>So many thousandths of a second.</summary>
    public static TimeSpan Milliseconds(int count) => TimeSpan.FromMilliseconds(count);

    /// <summary>So many seconds.</summary>
    public static TimeSpan Seconds(int count) => TimeSpan.FromSeconds(count);

    /// <summary>So many minutes.</summary>
    public static TimeSpan Minutes(int count) => TimeSpan.FromMinutes(count);

    /// <summary>So many hours.</summary>
    public static TimeSpan Hours(int count) => TimeSpan.FromHours(count);
}
