using System.Diagnostics.Metrics;
using Bff.Tenancy;

namespace Bff.Admission;

/// <summary>Counts <c>bff.admission.shed</c> by <c>reason</c> (queue_full, displaced, waited, tenant) and <c>priority</c>.</summary>
internal sealed class AdmissionMetrics
{
    private static readonly string[] Priorities = ["low", "normal", "high"];
    private readonly Counter<long> _shed;

    public AdmissionMetrics(IMeterFactory meters) =>
        _shed = meters
            .Create("Bff")
            .CreateCounter<long>("bff.admission.shed", "{request}", "Requests refused because the host or the tenant was at its limit");

    /// <summary>Counts a request that was refused by the gate.</summary>
    public void Shed(AdmissionOutcome outcome, TenantPriority priority) =>
        Shed(
            outcome switch
            {
                AdmissionOutcome.QueueFull => "queue_full",
                AdmissionOutcome.Displaced => "displaced",
                _ => "waited",
            },
            priority
        );

    public void Shed(string reason, TenantPriority priority) =>
        _shed.Add(1, new("reason", reason), new("priority", Priorities[(int)priority]));
}
