using System.Net;
using Bff.Configuration;

namespace Bff.Tenancy;

/// <summary>Priority of a tenant under overload.</summary>
public enum TenantPriority
{
    /// <summary>Shed first.</summary>
    Low,

    /// <summary>The default priority.</summary>
    Normal,

    /// <summary>Served first.</summary>
    High,
}

/// <summary>A customer organisation: section <c>Tenants:&lt;id&gt;</c>.</summary>
[Settings("Tenants:<id>")]
public sealed class Tenant
{
    /// <summary>The tenant's id: the key of the section and the tenant of a credential. Compared ordinally.</summary>
    public required string Id { get; init; }

    /// <summary>The plan of the tenant's callers. Null: not configured.</summary>
    [Setting(Range = "a plan's name", Default = "none", Meaning = "Plan of the tenant's callers.")]
    public Plan? Plan { get; init; }

    /// <summary>Path patterns that the tenant's callers may use.</summary>
    [Setting(
        Key = "AllowedEndpoints:<n>",
        Range = "a path pattern such as `/v1/orders/**`, where `*` is one segment and a final `**` is the rest of the path",
        Default = "all"
    )]
    public IReadOnlyList<PathPattern> AllowedEndpoints { get; init; } = [];

    /// <summary>Networks from which the tenant's callers may send requests.</summary>
    [Setting(Key = "AllowedAddresses:<n>", Range = "a network such as 203.0.113.0/24, or one address", Default = "any address")]
    public IReadOnlyList<IPNetwork> AllowedAddresses { get; init; } = [];

    /// <summary>The tenant's own host name. Only the tenant's credentials are accepted there.</summary>
    [Setting(Range = "a host name without scheme, port or path, which no other tenant has", Default = "none")]
    public string? CustomDomain { get; init; }

    /// <summary>Base address of an instance of the upstream that serves this tenant only, over connections of its own.</summary>
    [Setting(Key = "DedicatedUpstreams:<upstream>:Address", Range = "an absolute http or https address", Default = "none")]
    public IReadOnlyDictionary<string, Uri> DedicatedUpstreams { get; init; } = new Dictionary<string, Uri>();

    /// <summary>Priority of the tenant's requests under overload.</summary>
    [Setting]
    public TenantPriority Priority { get; init; } = TenantPriority.Normal;

    /// <summary>Maximum number of the tenant's requests in flight in one instance.</summary>
    [Setting(Min = 1, Max = 1_000_000, Default = "the host's")]
    public int? MaxConcurrency { get; init; }

    /// <summary>The bucket that all the tenant's callers share. Null: none.</summary>
    [Setting(
        Key = "RateLimit:RequestsPerMinute",
        Range = BucketSettings.RateRange,
        Default = "none",
        Meaning = "Cost units per minute that all callers of the tenant share."
    )]
    [Setting(
        Key = "RateLimit:Burst",
        Range = BucketSettings.RateRange,
        Default = "`RateLimit:RequestsPerMinute`",
        Meaning = "Cost units that all callers of the tenant may use in a burst."
    )]
    internal BucketPolicy? Bucket { get; init; }

    /// <summary>Whether the tenant's callers may use the path (decoded, normalised).</summary>
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
