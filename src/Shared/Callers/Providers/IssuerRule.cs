namespace Bff.Callers.Providers;

/// <summary>The issuers of one provider: names and templates (<c>https://login.microsoftonline.com/{tenantid}/v2.0</c>).</summary>
internal sealed class IssuerRule(IEnumerable<string> names, IReadOnlyList<string> tenants)
{
    /// <summary>The entry of <c>AllowedTenants</c> that allows every tenant.</summary>
    public const string AnyTenant = "*";

    private const string Placeholder = "{tenantid}";

    /// <summary>The configured and discovered issuers, with templates as they are.</summary>
    public IReadOnlyList<string> Names { get; } = [.. names.Distinct(StringComparer.Ordinal)];

    /// <summary>Whether a name is a template for many issuers.</summary>
    public static bool IsTemplate(string name) => name.Contains(Placeholder, StringComparison.Ordinal);

    /// <summary>Whether the text has only letters, digits, dots and hyphens, as tenants do, and so cannot change an address.</summary>
    public static bool IsTenantId(string text) =>
        text.Length is > 0 and <= 128
        && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.')
        && text.Any(char.IsAsciiLetterOrDigit);

    /// <summary>Whether tokens with this issuer and tenant belong to the provider.</summary>
    public bool Admits(string issuer, string? tenant)
    {
        foreach (var name in Names)
        {
            if (IsTemplate(name) ? tenant is not null && Allows(tenant) && IsFilled(name, issuer, tenant) : name == issuer)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a key of this issuer or template may sign for the issuer.</summary>
    public static bool MaySign(string keyIssuer, string issuer, string? tenant) =>
        IsTemplate(keyIssuer) ? tenant is not null && IsFilled(keyIssuer, issuer, tenant) : keyIssuer == issuer;

    /// <summary>Whether the issuer is the template filled with some tenant.</summary>
    public static bool IsOf(string template, string issuer) => TenantIn(template, issuer) is { } tenant && IsTenantId(tenant);

    /// <summary>Returns an issuer whose tokens could belong to both providers; null when there is none.</summary>
    public string? Overlap(IssuerRule other) =>
        Names.FirstOrDefault(name => other.Names.Contains(name) || other.Covers(name)) ?? other.Names.FirstOrDefault(Covers);

    private bool Covers(string issuer) =>
        Names.Any(name => IsTemplate(name) && !IsTemplate(issuer) && TenantIn(name, issuer) is { } tenant && Allows(tenant));

    private bool Allows(string tenant) =>
        IsTenantId(tenant) && (tenants.Contains(AnyTenant) || tenants.Contains(tenant, StringComparer.OrdinalIgnoreCase));

    private static string? TenantIn(string template, string issuer)
    {
        var at = template.IndexOf(Placeholder, StringComparison.Ordinal);
        var (before, after) = (template[..at], template[(at + Placeholder.Length)..]);
        return
            issuer.Length > before.Length + after.Length
            && issuer.StartsWith(before, StringComparison.Ordinal)
            && issuer.EndsWith(after, StringComparison.Ordinal)
            ? issuer[before.Length..^after.Length]
            : null;
    }

    private static bool IsFilled(string template, string issuer, string tenant) => TenantIn(template, issuer) == tenant;
}
