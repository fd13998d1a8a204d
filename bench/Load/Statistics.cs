using System.Globalization;

namespace Bff.Bench.Load;

/// <summary>Calculates medians with their range; in a mean, one disturbed round would distort the result.</summary>
internal static class Statistics
{
    /// <param name="sorted">Ascending, not empty.</param>
    /// <param name="share">0 to 1.</param>
    public static double Percentile(double[] sorted, double share) => sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * share))];

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>Formats <c>median (min–max)</c> of the known values.</summary>
    public static string Text(IEnumerable<double> values, string format)
    {
        var all = values.Where(v => !double.IsNaN(v)).ToList();
        if (all.Count == 0)
        {
            return "";
        }

        string Format(double value) => value.ToString(format, CultureInfo.InvariantCulture);
        return all.Count == 1 ? Format(all[0]) : $"{Format(Median(all))} ({Format(all.Min())}–{Format(all.Max())})";
    }
}
