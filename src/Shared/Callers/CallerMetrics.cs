using System.Diagnostics.Metrics;

namespace Bff.Callers;

/// <summary>Counts refused credentials in <c>bff.callers.failures</c> by <c>reason</c>, the problem's code; never the credential.</summary>
internal sealed class CallerMetrics
{
    private readonly Counter<long> _failures;

    public CallerMetrics(IMeterFactory meters)
    {
#pragma warning disable CA2000 // The factory owns it.
        _failures = meters.Create("Bff").CreateCounter<long>("bff.callers.failures", "{request}", "Requests whose credential was refused.");
#pragma warning restore CA2000
    }

    public void Count(string reason) => _failures.Add(1, new KeyValuePair<string, object?>("reason", reason));
}
