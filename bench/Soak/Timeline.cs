using System.Collections.Concurrent;
using System.Diagnostics;

namespace Bff.Bench.Soak;

/// <summary>A fault, from its beginning to its end, in seconds since the start.</summary>
/// <param name="name">Its kind.</param>
/// <param name="start">When it began.</param>
/// <param name="cutsStore">Whether gateways cannot read from Redis, or not within a second, while it lasts.</param>
internal sealed class Episode(string name, double start, bool cutsStore)
{
    public string Name { get; } = name;

    public double Start { get; } = start;

    /// <summary>Infinite while it lasts.</summary>
    public double End { get; set; } = double.PositiveInfinity;

    public bool CutsStore { get; } = cutsStore;

    /// <summary>What is known of it beyond its kind, such as how far the clock went.</summary>
    public string Note { get; set; } = "";

    /// <summary>Writes that Redis answered from here on are lost; NaN: none are.</summary>
    public double LosesFrom { get; set; } = double.NaN;

    /// <summary>... up to here.</summary>
    public double LosesTo { get; set; } = double.NaN;
}

/// <summary>One clock for load, faults and checks, and all that was broken when.</summary>
internal sealed class Timeline
{
    /// <summary>
    /// For gateways to notice that Redis is back: a connection that is silent is replaced after two seconds, a lost one at once.
    /// </summary>
    private const double Recovery = 3;

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly ConcurrentQueue<Episode> _episodes = new();

    public double Now => _clock.Elapsed.TotalSeconds;

    public IReadOnlyCollection<Episode> Episodes => _episodes;

    public IEnumerable<Episode> Losses => _episodes.Where(e => !double.IsNaN(e.LosesFrom));

    public Episode Begin(string name, bool cutsStore = false)
    {
        var episode = new Episode(name, Now, cutsStore);
        _episodes.Enqueue(episode);
        Console.Error.WriteLine($"{Now, 7:F1} s  {name}");
        return episode;
    }

    public void End(Episode episode, string note = "")
    {
        episode.End = Now;
        episode.Note = note;
        Console.Error.WriteLine($"{Now, 7:F1} s  {episode.Name} over after {episode.End - episode.Start:F1} s {note}");
    }

    /// <summary>
    /// When everybody must know what was changed at <paramref name="at"/>: a second later, or a second after Redis could be read again
    /// where it could not be read in that second.
    /// </summary>
    public double KnownBy(double at)
    {
        var known = at + 1;
        foreach (var cut in _episodes.Where(e => e.CutsStore).OrderBy(e => e.Start))
        {
            if (cut.Start < known && cut.End + Recovery > at)
            {
                known = Math.Max(known, cut.End + Recovery + 1);
            }
        }

        return known;
    }

    /// <summary>Whether a write that was answered between these moments may have been lost with the server that answered it.</summary>
    public bool MayBeLost(double from, double to) => Losses.Any(l => from <= l.LosesTo && (to >= l.LosesFrom || double.IsNaN(l.LosesTo)));

    /// <summary>
    /// Since when what an instance counted in memory may not have been written, had it died at this moment: two seconds and more, or since
    /// Redis was away.
    /// </summary>
    public double UnwrittenSince(double at, double interval)
    {
        var since = at - interval;
        foreach (var cut in _episodes.Where(e => e.CutsStore).OrderByDescending(e => e.Start))
        {
            if (cut.Start < at && cut.End + Recovery + interval > since)
            {
                since = Math.Min(since, cut.Start - interval);
            }
        }

        return since;
    }
}
