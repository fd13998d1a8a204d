using System.Diagnostics.Metrics;

namespace Bff.Configuration;

/// <summary>Counts accepted and refused edits, and reports the mistakes and settings of the current files that are not in effect.</summary>
internal sealed class SettingsMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly Counter<long> _edits;
    private int _refused;
    private int _pending;

    /// <param name="host">The host's meter factory, by which a listener tells the gateways of one process apart.</param>
    public SettingsMetrics(IMeterFactory host)
    {
        _meter = new(new MeterOptions("Bff.Configuration") { Scope = host });
        _edits = _meter.CreateCounter<long>("bff.settings.edits", "{edit}", "Edits of the configuration, by whether they were taken.");
        _meter.CreateObservableGauge(
            "bff.settings.refused",
            () => Volatile.Read(ref _refused),
            "{mistake}",
            "Mistakes for which the latest edit is refused; 0: it is in force."
        );
        _meter.CreateObservableGauge(
            "bff.settings.pending",
            () => Volatile.Read(ref _pending),
            "{setting}",
            "Edited settings that take effect at the next start."
        );
    }

    public void Taken()
    {
        Volatile.Write(ref _refused, 0);
        _edits.Add(1, new KeyValuePair<string, object?>("outcome", "taken"));
    }

    public void Refused(int mistakes)
    {
        Volatile.Write(ref _refused, mistakes);
        _edits.Add(1, new KeyValuePair<string, object?>("outcome", "refused"));
    }

    public void Pending(int settings) => Volatile.Write(ref _pending, settings);

    public void Dispose() => _meter.Dispose();
}
