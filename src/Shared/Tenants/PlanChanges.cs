using Bff.Audit;
using Bff.Configuration;
using Bff.RateLimiting;
using Bff.Requests;
using Bff.State;
using Bff.Tenancy;

namespace Bff.Tenants;

/// <summary>
/// Handles requests for another plan. A tenant makes them, an operator decides them, and an approved plan takes effect at once.
/// </summary>
public sealed class PlanChanges
{
    private const int MostAttempts = 5;
    private readonly ITenantStore _store;
    private readonly TenantChanges _tenants;
    private readonly PlanEvents _events;
    private readonly Reloadable<LimitSettings> _settings;

    internal PlanChanges(ITenantStore store, TenantChanges tenants, PlanEvents events, Reloadable<LimitSettings> settings) =>
        (_store, _tenants, _events, _settings) = (store, tenants, events, settings);

    /// <summary>Returns the tenant's latest request, decided or not.</summary>
    /// <exception cref="StoreUnavailableException">Redis is away. Every other member throws it too.</exception>
    public async Task<PlanChange?> Find(string tenant, CancellationToken cancellation) => await _store.FindPlanChange(tenant, cancellation);

    /// <summary>Asks for a plan. Replaces an earlier request.</summary>
    public async Task Request(string tenant, string previousPlan, string plan, string subject, ChangedBy by, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(by);
        var change = new PlanChange("pc_" + Guid.CreateVersion7(by.At).ToString("N"), tenant, previousPlan, plan, by.At, subject);
        var entry = by.Entry("plan.requested", tenant, change.Id, AuditFacts.Of(("plan", previousPlan)), AuditFacts.Of(("plan", plan)));
        await Step(tenant, before => new PlanStep(before, change), entry, cancellation);
    }

    /// <summary>Withdraws a request that is not decided yet.</summary>
    public async Task Withdraw(string tenant, ChangedBy by, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(by);
        if (await _store.FindPlanChange(tenant, cancellation) is { Status: PlanChangeStatus.Pending } asked)
        {
            var entry = by.Entry("plan.withdrawn", tenant, asked.Id, AuditFacts.Of(("plan", asked.Plan)));
            await Step(tenant, before => before == asked ? new PlanStep(before, null) : null, entry, cancellation);
        }
    }

    /// <summary>Returns pending requests, ordered by tenant.</summary>
    internal ValueTask<IReadOnlyList<PlanChange>> Waiting(string? after, int count, CancellationToken cancellation) =>
        _store.ListPlanChanges(after, count, cancellation);

    /// <summary>
    /// Decides a request. One step gives the tenant an approved plan, writes the audit entries and records that the tenant must be
    /// notified.
    /// </summary>
    /// <returns>The decided request, or the reason why there is none.</returns>
    internal async Task<(PlanChange? Decided, Problem? Refusal)> Decide(
        string tenant,
        bool isApproved,
        string? note,
        ChangedBy by,
        CancellationToken cancellation
    )
    {
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            if (await _store.FindPlanChange(tenant, cancellation) is not { Status: PlanChangeStatus.Pending } asked)
            {
                return (null, new Problem(ProblemCodes.NotFound) { Detail = "The tenant has no pending request for a change of plan." });
            }

            var decided = asked with
            {
                Status = isApproved ? PlanChangeStatus.Approved : PlanChangeStatus.Declined,
                Note = note,
                DecidedAt = by.At,
            };
            if (!isApproved)
            {
                var declined = by.Entry(
                    "plan.declined",
                    tenant,
                    asked.Id,
                    AuditFacts.Of(("plan", asked.Plan)),
                    AuditFacts.Of(("note", note))
                );
                if (
                    await _store.Write(
                        new(tenant, null, null, [declined]) { Plan = new(asked, decided), IsOfPlanAlone = true },
                        cancellation
                    ) == TenantWrite.Done
                )
                {
                    return (decided, null);
                }

                continue;
            }

            if (!_settings.Current.Plans.TryGetValue(asked.Plan, out var plan))
            {
                return (
                    null,
                    new Problem(ProblemCodes.Conflict) { Detail = $"There is no plan '{asked.Plan}' any more. Decline the request." }
                );
            }

            if (await _tenants.Find(tenant, cancellation) is not { } current)
            {
                return (null, new Problem(ProblemCodes.Conflict) { Detail = "The tenant does not exist any more. Decline the request." });
            }

            if (TenantDocument.ReadOrNull(current.Json) is not { } document)
            {
                return (
                    null,
                    new Problem(ProblemCodes.Conflict) { Detail = "The tenant's stored document cannot be read. Replace it first." }
                );
            }

            decided = decided with { PreviousPlan = document.Plan ?? ShippedPlans.Free };
            var approved = by.Entry(
                "plan.approved",
                tenant,
                asked.Id,
                AuditFacts.Of(("plan", decided.PreviousPlan)),
                AuditFacts.Of(("plan", plan.Name), ("note", note))
            );
            var change = TenantChanges.Change(tenant, current, document with { Plan = plan.Name }, by);
            if (
                await _store.Write(
                    change with
                    {
                        Audit = [approved, .. change.Audit],
                        Plan = new(asked, decided, IsChange: true),
                    },
                    cancellation
                ) == TenantWrite.Done
            )
            {
                await _events.TellSoon(cancellation);
                return (decided, null);
            }
        }

        return (null, new Problem(ProblemCodes.Conflict) { Detail = "The tenant is being changed. Try again." });
    }

    private async Task Step(string tenant, Func<PlanChange?, PlanStep?> step, AuditEntry entry, CancellationToken cancellation)
    {
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            if (
                step(await _store.FindPlanChange(tenant, cancellation)) is not { } plan
                || await _store.Write(new(tenant, null, null, [entry]) { Plan = plan, IsOfPlanAlone = true }, cancellation)
                    == TenantWrite.Done
            )
            {
                return;
            }
        }

        throw new ProblemException(new Problem(ProblemCodes.Conflict) { Detail = "The request is being changed. Try again." });
    }
}
