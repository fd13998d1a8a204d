namespace Bff.Upstreams.Tokens;

/// <summary>Where a registration's tokens come from.</summary>
internal interface IAuthorizationServer
{
    /// <summary>Asks once. Throws where there is no answer.</summary>
    /// <param name="wanted">For which service.</param>
    /// <param name="subject">The caller's token that is exchanged; null for the gateway's own.</param>
    /// <param name="afterRefusal">Whether the service has refused the token that this one replaces: a kept one will not do.</param>
    /// <param name="cancellation">Ends the wait.</param>
    Task<TokenGrant> Ask(TokenOptions wanted, string? subject, bool afterRefusal, CancellationToken cancellation);
}

/// <summary>What an authorization server answered: a token with its life, the code of a refusal, or nothing of use.</summary>
internal readonly record struct TokenGrant
{
    private const int MaxLength = 64 * 1024;

    /// <summary>Goes into a header as it came.</summary>
    public string? Token { get; private init; }

    /// <summary>How long the token is good, as the server says.</summary>
    public TimeSpan Life { get; private init; }

    /// <summary>RFC 6749 section 5.2, or a code of the server's own.</summary>
    public string? Refusal { get; private init; }

    /// <summary>Whether the answer is of no use.</summary>
    public bool IsAway => Token is null && Refusal is null;

    /// <summary>Anything but visible ASCII is garbage (RFC 6750 section 2.1).</summary>
    public static TokenGrant Of(string? token, TimeSpan life) =>
        token is { Length: > 0 and <= MaxLength } && !token.AsSpan().ContainsAnyExceptInRange('!', '~')
            ? new() { Token = token, Life = life }
            : default;

    /// <summary>A code that speaks of the server's own trouble is no refusal.</summary>
    public static TokenGrant Refused(string? code) =>
        code is null or "temporarily_unavailable" or "server_error" or "slow_down" ? default : new() { Refusal = code };
}
