using System.Collections.Frozen;
using Bff.Callers.Keys;
using Bff.Configuration;

namespace Bff.Callers.Providers;

/// <summary>The provider that the framework documents, which is one among others.</summary>
[Settings("Authentication:Schemes:Bearer", AtStart = true)]
internal sealed record BearerSchemeSettings : ProviderSettings;

/// <summary>A named provider.</summary>
[Settings("Authentication:Providers:<name>", AtStart = true)]
internal sealed record NamedProviderSettings : ProviderSettings;

/// <summary>
/// An issuer whose tokens are accepted. It has the keys that the framework documents, and settings for what the providers of companies do
/// differently.
/// </summary>
internal abstract record ProviderSettings
{
    internal const string HttpAddress = "an absolute https address; http where `RequireHttpsMetadata` is off";
    private const string ByType = "by `Type`";
    private const string AnyText = "any text";

    /// <summary>The path of the section, for messages.</summary>
    public required string Path { get; init; }

    /// <summary>Whose conventions its tokens follow: sets the defaults of `Claims` and `RolesAsScopes`.</summary>
    [Setting]
    public ProviderType Type { get; init; }

    /// <summary>The issuer's address; discovery is below it.</summary>
    [Setting(Range = HttpAddress, Default = "none; required unless keys come another way")]
    public string? Authority { get; init; }

    /// <summary>The discovery document, when it is not below the authority.</summary>
    [Setting(Range = HttpAddress, Default = "below `Authority`")]
    public Uri? MetadataAddress { get; init; }

    /// <summary>Whether discovery and keys must travel over TLS; <c>false</c> in development only.</summary>
    [Setting]
    public bool RequireHttpsMetadata { get; init; } = true;

    /// <summary>How long the authority may take to answer.</summary>
    [Setting(Min = "00:00:00.100", Max = "00:01:00")]
    public TimeSpan BackchannelTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A token must be for one of these; <c>ValidAudience</c> and <c>Audience</c> are read too.</summary>
    [Setting(
        Key = "ValidAudiences:<n>",
        OrOne = true,
        Also = "ValidAudience,Audience",
        Range = AnyText,
        Default = "none; required unless `AllowedClients` is there"
    )]
    public IReadOnlyList<string> Audiences { get; init; } = [];

    /// <summary>
    /// Accepted beside the issuer that the discovery document names; <c>ValidIssuer</c> is read too. May hold <c>{tenantid}</c>.
    /// </summary>
    [Setting(Key = "ValidIssuers:<n>", OrOne = true, Also = "ValidIssuer", Range = AnyText, Default = "the discovery document's")]
    public IReadOnlyList<string> Issuers { get; init; } = [];

    /// <summary>Symmetric keys from the configuration; without one HS256 is not accepted.</summary>
    [Setting(
        Key = "SigningKeys:<n>:Value",
        Also = "SigningKeys:<n>:Issuer,SigningKeys:<n>:Id,SigningKeys:<n>:Length",
        Range = "base64 of at least 32 bytes",
        Default = "none",
        Meaning = "As `dotnet user-jwts` writes them, with `Issuer`, `Id`, `Length`."
    )]
    public IReadOnlyList<VerificationKey> Secrets { get; init; } = [];

    /// <summary>Tenants that may stand for <c>{tenantid}</c> in the issuer that discovery names; <c>*</c> says any.</summary>
    [Setting(
        Key = "AllowedTenants:<n>",
        OrOne = true,
        Range = "a tenant's id, or `*`",
        Default = "none; required where the issuer holds `{tenantid}`"
    )]
    public IReadOnlyList<string> AllowedTenants { get; init; } = [];

    /// <summary>With it the tokens of these clients alone are taken, and also those without <c>aud</c>.</summary>
    [Setting(Key = "AllowedClients:<n>", OrOne = true, Range = AnyText, Default = "any client, and a token without `aud` is refused")]
    public IReadOnlyList<string> AllowedClients { get; init; } = [];

    /// <summary>Which claims say what.</summary>
    [Setting(
        Key = "Claims:Subject:<n>",
        OrOne = true,
        Range = AnyText,
        Default = ByType,
        Meaning = "Claims that name the user; the first that is there wins. A name that exists as written wins, else dots lead into objects."
    )]
    [Setting(
        Key = "Claims:Email:<n>",
        OrOne = true,
        Range = AnyText,
        Default = ByType,
        Meaning = "Claims with the e-mail address; the first that is there wins."
    )]
    [Setting(
        Key = "Claims:Name:<n>",
        OrOne = true,
        Range = AnyText,
        Default = ByType,
        Meaning = "Claims with the name for people; the first that is there wins."
    )]
    [Setting(
        Key = "Claims:Roles:<n>",
        OrOne = true,
        Range = AnyText,
        Default = ByType,
        Meaning = "Claims with roles; all of them together."
    )]
    [Setting(
        Key = "Claims:Scopes:<n>",
        OrOne = true,
        Range = AnyText,
        Default = ByType,
        Meaning = "Claims with scopes; all of them together."
    )]
    [Setting(
        Key = "Claims:Tenant:<n>",
        OrOne = true,
        Range = AnyText,
        Default = ByType,
        Meaning = "Claims that name the tenant; the first that is there wins."
    )]
    [Setting(
        Key = "Claims:Client:<n>",
        OrOne = true,
        Range = AnyText,
        Default = ByType,
        Meaning = "Claims that name the client; the first that is there wins."
    )]
    [Setting(Key = "ScopePrefix", Range = AnyText, Default = "none", Meaning = "Is cut off of scopes, such as `api://shop/`.")]
    [Setting(
        Key = "ScopeAliases:<scope>",
        Also = "ScopeAliases:<scope>:From,ScopeAliases:<scope>:To",
        Range = "a scope of the gateway, or `{ From, To }`",
        Default = "none",
        Meaning = "A scope of the provider's tokens is this one of the gateway; `{ From, To }` for names with a colon."
    )]
    public ClaimMap Claims { get; init; } = ClaimMap.Default;

    /// <summary>Whether the roles of an application count as scopes.</summary>
    [Setting(Default = "`true` for `Entra`, else `false`")]
    public bool? RolesAsScopes { get; init; }

    /// <summary>Longest token; the server's header limits follow it.</summary>
    [Setting(Min = 1024, Max = 65536)]
    public int MaxTokenBytes { get; init; } = 8192;

    /// <summary>Whether there are keys, or an authority that publishes them.</summary>
    public bool HasKeys => MetadataAddress is not null || Secrets.Count > 0;

    /// <summary>Whether a token of this client is accepted.</summary>
    public bool Allows(string? client) => AllowedClients.Count == 0 || (client is not null && AllowedClients.Contains(client));
}
