namespace Bff.Dev.Upstreams;

/// <summary>
/// The caller according to the gateway's headers. A caller without any of them is trusted, as on a private network.
/// </summary>
internal readonly struct Identity(IHeaderDictionary headers)
{
    public string? User => One(headers["X-User-Id"]);
    public string? Tenant => One(headers["X-Tenant-Id"]);
    public string? Client => One(headers["X-Client-Id"]);

    /// <summary>Whether the caller is a company's server rather than a person, and acts for its tenant.</summary>
    public bool IsPartner =>
        Tenant is not null && (User is not { } user || user == Client || !user.StartsWith("u-", StringComparison.Ordinal));

    /// <summary>Whether the caller may see what belongs to this customer of this tenant.</summary>
    public bool MaySee(string? owner, string? tenant) => IsPartner ? Tenant == tenant : User is not { } user || user == owner;

    /// <summary>Decodes a value; the gateway percent-encodes what a header cannot contain.</summary>
    private static string? One(string? value) => string.IsNullOrEmpty(value) ? null : Uri.UnescapeDataString(value);
}
