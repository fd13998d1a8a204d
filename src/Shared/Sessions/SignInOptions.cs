namespace Bff.Sessions;

/// <summary>Whether the parameters of a sign-in go to the provider by themselves first, so that no browser sees them (RFC 9126).</summary>
internal enum PushedAuthorization
{
    /// <summary>Where the provider offers it.</summary>
    Auto,

    /// <summary>Always; a provider that does not offer it is an outage.</summary>
    Require,

    /// <summary>Never.</summary>
    Off,
}

/// <summary>Whether the provider's user info resource is asked at a sign-in (OpenID Connect Core 1.0 section 5.3).</summary>
internal enum UserInfoUse
{
    /// <summary>When the id_token lacks a name or an e-mail address.</summary>
    Auto,

    /// <summary>At every sign-in.</summary>
    Always,

    /// <summary>Not at all.</summary>
    Never,
}
