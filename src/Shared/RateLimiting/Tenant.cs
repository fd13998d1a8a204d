namespace Bff.RateLimiting;

/// <summary>Who is served first under overload.</summary>
public enum TenantPriority
{
    /// <summary>Shed first.</summary>
    Low,

    /// <summary>The default.</summary>
    Normal,

    /// <summary>Served first.</summary>
    High,
}

/// <summary>A customer organisation: section <c>Tenants:&lt;id&gt;</c>.</summary>
public sealed class Tenant
{
    /// <summary>Key of the section; the credential's tenant. Ordinal.</summary>
    public required string Id { get; init; }

    /// <summary>The plan of its callers; null: not stated.</summary>
    public Plan? Plan { get; init; }

    /// <summary>Path patterns that its callers may use; empty: all.</summary>
    public IReadOnlyList<PathPattern> AllowedEndpoints { get; init; } = [];

    /// <summary>Host name of its own, for which only its credentials are good; null: none.</summary>
    public string? CustomDomain { get; init; }

    /// <summary>Addresses of its own per upstream.</summary>
    public IReadOnlyDictionary<string, Uri> DedicatedUpstreams { get; init; } = new Dictionary<string, Uri>();

    /// <summary>Under overload.</summary>
    public TenantPriority Priority { get; init; } = TenantPriority.Normal;

    /// <summary>Requests that it may have in flight in one instance; null: the host's own limit.</summary>
    public int? MaxConcurrency { get; init; }

    /// <summary>The bucket that all its callers share; null: none.</summary>
    internal BucketPolicy? Bucket { get; init; }

    /// <summary>Whether its callers may use the path (decoded, normalised).</summary>
    public bool Allows(ReadOnlySpan<char> path)
    {
        if (AllowedEndpoints.Count == 0)
        {
            return true;
        }

        for (var i = 0; i < AllowedEndpoints.Count; i++)
        {
            if (AllowedEndpoints[i].Matches(path))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>Looks up the configured tenants; always those of the configuration in force.</summary>
public interface ITenants
{
    /// <summary>Every configured tenant.</summary>
    IReadOnlyCollection<Tenant> All { get; }

    /// <summary>The tenant of a credential; null when there is none or it is not configured.</summary>
    Tenant? Find(string? id);

    /// <summary>The tenant whose <see cref="Tenant.CustomDomain"/> the host name is (any case, without port); null when it is nobody's.</summary>
    Tenant? FindByDomain(string host);
}
