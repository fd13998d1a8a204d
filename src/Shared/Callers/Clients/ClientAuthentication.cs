namespace Bff.Callers.Clients;

/// <summary>How a client authenticates to a provider (OpenID Connect Core 1.0 section 9).</summary>
internal enum ClientAuthentication
{
    /// <summary>Id and secret in the <c>Authorization</c> header (<c>client_secret_basic</c>).</summary>
    Basic,

    /// <summary>Id and secret in the form (<c>client_secret_post</c>).</summary>
    Post,

    /// <summary>A short-lived assertion signed with the client's private key (<c>private_key_jwt</c>, RFC 7523).</summary>
    PrivateKeyJwt,
}
