namespace Bff.Composition;

/// <summary>Lets an endpoint state a duration with its unit: <c>using static Bff.Composition.Durations;</c>.</summary>
public static class Durations
{
    /// <summary>Returns a duration in milliseconds.</summary>
    public static TimeSpan Milliseconds(int count) => TimeSpan.FromMilliseconds(count);

    /// <summary>Returns a duration in seconds.</summary>
    public static TimeSpan Seconds(int count) => TimeSpan.FromSeconds(count);

    /// <summary>Returns a duration in minutes.</summary>
    public static TimeSpan Minutes(int count) => TimeSpan.FromMinutes(count);

    /// <summary>Returns a duration in hours.</summary>
    public static TimeSpan Hours(int count) => TimeSpan.FromHours(count);
}
