using System.Collections.Concurrent;
using System.Diagnostics;

namespace Bff.Bench.Soak;

/// <summary>A fault from its beginning to its end, in seconds since the start.</summary>
/// <param name="name">Kind of fault.</param>
/// <param name="start">Time of its beginning.</param>
/// <param name="cutsStore">Whether gateways cannot read from Redis, or not within a second, during the fault.</param>
internal sealed class Episode(string name, double start, bool cutsStore)
{
    public string Name { get; } = name;

    public double Start { get; } = start;

    /// <summary>End of the fault; infinite while it lasts.</summary>
    public double End { get; set; } = double.PositiveInfinity;

    public bool CutsStore { get; } = cutsStore;

    /// <summary>Details of the fault, such as how far the clock was moved.</summary>
    public string Note { get; set; } = "";

    /// <summary>Start of the time in which writes that Redis answered are lost; NaN: none are.</summary>
    public double LosesFrom { get; set; } = double.NaN;

    /// <summary>End of that time.</summary>
    public double LosesTo { get; set; } = double.NaN;
}

/// <summary>The clock shared by load, faults and checks, and a record of all faults.</summary>
internal sealed class Timeline
{
    /// <summary>
    /// Seconds in which gateways notice that Redis is back: a silent connection is replaced after two seconds, a lost one at once.
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
    /// Returns the time by which every instance must know a change made at <paramref name="at"/>: one second later, or one second after
    /// Redis could be read again if it could not be read in that second.
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

    /// <summary>Whether a write answered between these times may have been lost with the server that answered it.</summary>
    public bool MayBeLost(double from, double to) => Losses.Any(l => from <= l.LosesTo && (to >= l.LosesFrom || double.IsNaN(l.LosesTo)));

    /// <summary>
    /// Returns the time since when an instance that dies at <paramref name="at"/> may have counts in memory that are not written: the
    /// interval before it, or since before Redis was away.
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
