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
    internal const string HttpAddress = "an absolute https address; http if `RequireHttpsMetadata` is `false`";
    private const string ByType = "depends on `Type`";
    private const string AnyText = "any text";

    /// <summary>The path of the section, for messages.</summary>
    public required string Path { get; init; }

    /// <summary>Kind of identity provider. It sets the defaults of `Claims` and `RolesAsScopes`.</summary>
    [Setting]
    public ProviderType Type { get; init; }

    /// <summary>Address of the issuer. Its discovery document is below this address.</summary>
    [Setting(Range = HttpAddress, Default = "none; required unless keys are configured another way")]
    public string? Authority { get; init; }

    /// <summary>Address of the discovery document, if it is not below the authority.</summary>
    [Setting(Range = HttpAddress, Default = "below `Authority`")]
    public Uri? MetadataAddress { get; init; }

    /// <summary>Whether the discovery document and keys must be read over TLS. Set <c>false</c> in development only.</summary>
    [Setting]
    public bool RequireHttpsMetadata { get; init; } = true;

    /// <summary>Timeout of a call to the authority.</summary>
    [Setting(Min = "00:00:00.100", Max = "00:01:00")]
    public TimeSpan BackchannelTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Accepted audiences. A token must name one of them. <c>ValidAudience</c> and <c>Audience</c> are also read.</summary>
    [Setting(
        Key = "ValidAudiences:<n>",
        OrOne = true,
        Also = "ValidAudience,Audience",
        Range = AnyText,
        Default = "none; required unless `AllowedClients` is set"
    )]
    public IReadOnlyList<string> Audiences { get; init; } = [];

    /// <summary>
    /// Accepted issuers, in addition to the one that the discovery document names. May contain <c>{tenantid}</c>. <c>ValidIssuer</c> is
    /// also read.
    /// </summary>
    [Setting(Key = "ValidIssuers:<n>", OrOne = true, Also = "ValidIssuer", Range = AnyText, Default = "the discovery document's")]
    public IReadOnlyList<string> Issuers { get; init; } = [];

    /// <summary>Symmetric keys from the configuration; without one HS256 is not accepted.</summary>
    [Setting(
        Key = "SigningKeys:<n>:Value",
        Also = "SigningKeys:<n>:Issuer,SigningKeys:<n>:Id,SigningKeys:<n>:Length",
        Range = "base64 of at least 32 bytes",
        Default = "none",
        Meaning = "Symmetric key for HS256, with `Issuer`, `Id` and `Length`, as `dotnet user-jwts` writes it."
    )]
    public IReadOnlyList<VerificationKey> Secrets { get; init; } = [];

    /// <summary>Tenants that may replace <c>{tenantid}</c> in the issuer of the discovery document. <c>*</c> allows any.</summary>
    [Setting(
        Key = "AllowedTenants:<n>",
        OrOne = true,
        Range = "a tenant's id, or `*`",
        Default = "none; required if the issuer contains `{tenantid}`"
    )]
    public IReadOnlyList<string> AllowedTenants { get; init; } = [];

    /// <summary>Only the tokens of these clients are accepted. Their tokens do not need <c>aud</c>.</summary>
    [Setting(Key = "AllowedClients:<n>", OrOne = true, Range = AnyText, Default = "any client; a token without `aud` is refused")]
    public IReadOnlyList<string> AllowedClients { get; init; } = [];

    /// <summary>Which claims say what.</summary>
    [Setting(
        Key = "Claims:Subject:<n>",
        OrOne = true,
        Range = AnyText,
        Default = ByType,
        Meaning = "Claims with the user's id. The first one that the token has is used. Dots lead into nested objects, "
            + "unless a claim has exactly this name."
    )]
    [Setting(
        Key = "Claims:Email:<n>",
        OrOne = true,
        Range = AnyText,
        Default = ByType,
        Meaning = "Claims with the user's e-mail address. The first one that the token has is used."
    )]
    [Setting(
        Key = "Claims:Name:<n>",
        OrOne = true,
        Range = AnyText,
        Default = ByType,
        Meaning = "Claims with the user's display name. The first one that the token has is used."
    )]
    [Setting(
        Key = "Claims:Roles:<n>",
        OrOne = true,
        Range = AnyText,
        Default = ByType,
        Meaning = "Claims with the user's roles. The roles of all these claims are combined."
    )]
    [Setting(
        Key = "Claims:Scopes:<n>",
        OrOne = true,
        Range = AnyText,
        Default = ByType,
        Meaning = "Claims with the token's scopes. The scopes of all these claims are combined."
    )]
    [Setting(
        Key = "Claims:Tenant:<n>",
        OrOne = true,
        Range = AnyText,
        Default = ByType,
        Meaning = "Claims with the tenant's id. The first one that the token has is used."
    )]
    [Setting(
        Key = "Claims:Client:<n>",
        OrOne = true,
        Range = AnyText,
        Default = ByType,
        Meaning = "Claims with the client's id. The first one that the token has is used."
    )]
    [Setting(
        Key = "ScopePrefix",
        Range = AnyText,
        Default = "none",
        Meaning = "Prefix that is removed from scopes, such as `api://shop/`."
    )]
    [Setting(
        Key = "ScopeAliases:<scope>",
        Also = "ScopeAliases:<scope>:From,ScopeAliases:<scope>:To",
        Range = "a scope of the gateway, or `{ From, To }`",
        Default = "none",
        Meaning = "Scope of the gateway that a scope of the provider's tokens stands for. Use `{ From, To }` for names with a colon."
    )]
    public ClaimMap Claims { get; init; } = ClaimMap.Default;

    /// <summary>Whether the roles of an application count as its scopes.</summary>
    [Setting(Default = "`true` for `Entra`, else `false`")]
    public bool? RolesAsScopes { get; init; }

    /// <summary>Largest accepted token in bytes. The server's header limits are raised to fit it.</summary>
    [Setting(Min = 1024, Max = 65536)]
    public int MaxTokenBytes { get; init; } = 8192;

    /// <summary>Whether there are keys, or an authority that publishes them.</summary>
    public bool HasKeys => MetadataAddress is not null || Secrets.Count > 0;

    /// <summary>Whether a token of this client is accepted.</summary>
    public bool Allows(string? client) => AllowedClients.Count == 0 || (client is not null && AllowedClients.Contains(client));
}
