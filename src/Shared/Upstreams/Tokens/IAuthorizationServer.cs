namespace Bff.Upstreams.Tokens;

/// <summary>Issues the tokens of a registration.</summary>
internal interface IAuthorizationServer
{
    /// <summary>Requests a token once. Throws if there is no answer.</summary>
    /// <param name="wanted">Token settings of the service.</param>
    /// <param name="subject">The caller's token to exchange; null for a token of the gateway's own.</param>
    /// <param name="afterRefusal">Whether the service has rejected the previous token, so that a cached one must not be returned.</param>
    /// <param name="cancellation">Cancels the request.</param>
    Task<TokenGrant> Ask(TokenOptions wanted, string? subject, bool afterRefusal, CancellationToken cancellation);
}

/// <summary>Answer of an authorization server: a token with its lifetime, the code of a refusal, or nothing usable.</summary>
internal readonly record struct TokenGrant
{
    private const int MaxLength = 64 * 1024;

    /// <summary>The token, unchanged.</summary>
    public string? Token { get; private init; }

    /// <summary>Lifetime of the token as the server states it.</summary>
    public TimeSpan Life { get; private init; }

    /// <summary>Error code of RFC 6749 section 5.2 or of the server's own.</summary>
    public string? Refusal { get; private init; }

    /// <summary>Whether the answer is unusable.</summary>
    public bool IsAway => Token is null && Refusal is null;

    /// <summary>Returns a grant; unusable if the token is anything but visible ASCII (RFC 6750 section 2.1).</summary>
    public static TokenGrant Of(string? token, TimeSpan life) =>
        token is { Length: > 0 and <= MaxLength } && !token.AsSpan().ContainsAnyExceptInRange('!', '~')
            ? new() { Token = token, Life = life }
            : default;

    /// <summary>Returns a refusal; a code for a failure of the server itself is unusable instead.</summary>
    public static TokenGrant Refused(string? code) =>
        code is null or "temporarily_unavailable" or "server_error" or "slow_down" ? default : new() { Refusal = code };
}
