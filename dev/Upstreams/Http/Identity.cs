namespace Bff.Dev.Upstreams;

/// <summary>
/// The caller, as the headers that the gateway sets describe it. A caller without any of them is trusted, as on a private network.
/// </summary>
internal readonly struct Identity(IHeaderDictionary headers)
{
    public string? User => One(headers["X-User-Id"]);
    public string? Tenant => One(headers["X-Tenant-Id"]);
    public string? Client => One(headers["X-Client-Id"]);

    /// <summary>A company's server rather than a person: it acts for its tenant.</summary>
    public bool IsPartner =>
        Tenant is not null && (User is not { } user || user == Client || !user.StartsWith("u-", StringComparison.Ordinal));

    /// <summary>Whether what belongs to this customer of this tenant may be seen at all.</summary>
    public bool MaySee(string? owner, string? tenant) => IsPartner ? Tenant == tenant : User is not { } user || user == owner;

    /// <summary>The gateway percent-encodes what a header cannot hold.</summary>
    private static string? One(string? value) => string.IsNullOrEmpty(value) ? null : Uri.UnescapeDataString(value);
}
