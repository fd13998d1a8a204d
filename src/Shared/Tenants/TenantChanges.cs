using Bff.Audit;
using Bff.Configuration;
using Bff.RateLimiting;
using Bff.Requests;

namespace Bff.Tenants;

/// <summary>A tenant as it is: what the store says, else the configuration.</summary>
/// <param name="Stored">Of the store; null: not there.</param>
/// <param name="Json">The members, in the one spelling.</param>
internal sealed record CurrentTenant(byte[]? Stored, byte[] Json)
{
    public string ETag { get; } = TenantDocument.ETagOf(Json);
}

/// <summary>Makes, changes and deletes tenants of the store.</summary>
internal sealed class TenantChanges(ITenantStore store, Reloadable<LimitSettings> settings)
{
    /// <summary>Null: there is none.</summary>
    public async ValueTask<CurrentTenant?> Find(string id, CancellationToken cancellation)
    {
        if (await store.Find(id, cancellation) is { } stored)
        {
            return new(stored, stored);
        }

        return settings.Current.Tenants.GetValueOrDefault(id) is { } configured ? new(null, TenantDocument.Of(configured).Write()) : null;
    }

    /// <summary>What is wrong with a document; null when nothing is.</summary>
    public Problem? Check(string id, TenantDocument document)
    {
        var (_, errors) = document.Parse(id, settings.Current);
        if (document.CustomDomain is { } domain && settings.Current.TenantsByDomain.TryGetValue(domain, out var owner) && owner.Id != id)
        {
            errors["customDomain"] = [$"is the domain of tenant '{owner.Id}' already."];
        }

        return errors.Count == 0 ? null : new Problem(ProblemCodes.ValidationFailed) { Errors = errors };
    }

    /// <summary>Puts a checked document in the place of what was read; null when it is done.</summary>
    public ValueTask<Problem?> Put(
        string id,
        CurrentTenant? before,
        TenantDocument document,
        ChangedBy by,
        CancellationToken cancellation
    ) => Write(Change(id, before, document, by), cancellation);

    /// <summary>The change with its entry in the audit log.</summary>
    public static TenantChange Change(string id, CurrentTenant? before, TenantDocument document, ChangedBy by)
    {
        var after = document.Write();
        var entry = by.Entry(before is null ? "tenant.created" : "tenant.changed", id, id, Facts(before?.Json), Facts(after));
        return new(id, before?.Stored, after, [entry]);
    }

    /// <summary>Takes a tenant out of the store; what configuration says of it is in force again.</summary>
    public ValueTask<Problem?> Delete(string id, byte[] stored, ChangedBy by, CancellationToken cancellation) =>
        Write(new(id, stored, null, [by.Entry("tenant.deleted", id, id, Facts(stored))]), cancellation);

    private async ValueTask<Problem?> Write(TenantChange change, CancellationToken cancellation) =>
        await store.Write(change, cancellation) switch
        {
            TenantWrite.Done => null,
            TenantWrite.DomainTaken => Problem.Invalid("customDomain", "is another tenant's domain already."),
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
