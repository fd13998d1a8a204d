namespace Bff.Callers.Providers;

/// <summary>The provider whose conventions the tokens follow; see <see cref="ClaimDefaults"/>.</summary>
internal enum ProviderType
{
    /// <summary>The registered claims (RFC 7519, RFC 9068, OpenID Connect Core 1.0).</summary>
    Generic,

    /// <summary>Microsoft Entra ID.</summary>
    Entra,

    /// <summary>Keycloak.</summary>
    Keycloak,

    /// <summary>Auth0.</summary>
    Auth0,

    /// <summary>Okta.</summary>
    Okta,

    /// <summary>Amazon Cognito user pools.</summary>
    Cognito,
}
