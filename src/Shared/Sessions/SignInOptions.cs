namespace Bff.Sessions;

/// <summary>
/// Whether the host sends the parameters of a sign-in to the provider directly beforehand, so that no browser sees them (RFC 9126).
/// </summary>
internal enum PushedAuthorization
{
    /// <summary>If the provider offers it.</summary>
    Auto,

    /// <summary>Always. If the provider does not offer it, sign-ins fail as in an outage.</summary>
    Require,

    /// <summary>Never.</summary>
    Off,
}

/// <summary>Whether the provider's user info endpoint is called at a sign-in (OpenID Connect Core 1.0 section 5.3).</summary>
internal enum UserInfoUse
{
    /// <summary>If the id_token lacks a name or an e-mail address.</summary>
    Auto,

    /// <summary>At every sign-in.</summary>
    Always,

    /// <summary>Never.</summary>
    Never,
}
