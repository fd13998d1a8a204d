using Bff.Audit;
using Bff.Configuration;
using Bff.RateLimiting;
using Bff.Requests;

namespace Bff.Tenants;

/// <summary>A tenant's current document, from the store or else from the configuration.</summary>
/// <param name="Stored">The document in the store. Null: it is not there.</param>
/// <param name="Json">The document in its canonical form.</param>
internal sealed record CurrentTenant(byte[]? Stored, byte[] Json)
{
    public string ETag { get; } = TenantDocument.ETagOf(Json);
}

/// <summary>Creates, changes and deletes tenants of the store.</summary>
internal sealed class TenantChanges(ITenantStore store, Reloadable<LimitSettings> settings)
{
    /// <summary>Returns the current tenant. Null if there is none.</summary>
    public async ValueTask<CurrentTenant?> Find(string id, CancellationToken cancellation)
    {
        if (await store.Find(id, cancellation) is { } stored)
        {
            return new(stored, stored);
        }

        return settings.Current.Tenants.GetValueOrDefault(id) is { } configured ? new(null, TenantDocument.Of(configured).Write()) : null;
    }

    /// <summary>Returns the mistakes of a document. Null if there are none.</summary>
    public Problem? Check(string id, TenantDocument document)
    {
        var (_, errors) = document.Parse(id, settings.Current);
        if (document.CustomDomain is { } domain && settings.Current.TenantsByDomain.TryGetValue(domain, out var owner) && owner.Id != id)
        {
            errors["customDomain"] = [$"is already the domain of tenant '{owner.Id}'. Choose another one."];
        }

        return errors.Count == 0 ? null : new Problem(ProblemCodes.ValidationFailed) { Errors = errors };
    }

    /// <summary>Replaces the version that was read with a checked document. Returns null if that succeeds.</summary>
    public ValueTask<Problem?> Put(
        string id,
        CurrentTenant? before,
        TenantDocument document,
        ChangedBy by,
        CancellationToken cancellation
    ) => Write(Change(id, before, document, by), cancellation);

    /// <summary>Returns the change with its entry for the audit log.</summary>
    public static TenantChange Change(string id, CurrentTenant? before, TenantDocument document, ChangedBy by)
    {
        var after = document.Write();
        var entry = by.Entry(before is null ? "tenant.created" : "tenant.changed", id, id, Facts(before?.Json), Facts(after));
        return new(id, before?.Stored, after, [entry]);
    }

    /// <summary>Deletes a tenant from the store. Its configuration, if any, then applies again.</summary>
    public ValueTask<Problem?> Delete(string id, byte[] stored, ChangedBy by, CancellationToken cancellation) =>
        Write(new(id, stored, null, [by.Entry("tenant.deleted", id, id, Facts(stored))]), cancellation);

    private async ValueTask<Problem?> Write(TenantChange change, CancellationToken cancellation) =>
        await store.Write(change, cancellation) switch
        {
            TenantWrite.Done => null,
            TenantWrite.DomainTaken => Problem.Invalid("customDomain", "is already the domain of another tenant. Choose another one."),
            _ => new Problem(ProblemCodes.PreconditionFailed),
        };

    private static System.Text.Json.JsonElement? Facts(byte[]? json)
    {
        if (json is null || TenantDocument.ReadOrNull(json) is null)
        {
            return null;
        }

        using var document = System.Text.Json.JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
