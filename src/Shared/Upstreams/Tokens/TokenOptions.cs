using Bff.Configuration;

namespace Bff.Upstreams.Tokens;

/// <summary>Which token a service gets in <c>Authorization</c>.</summary>
public enum TokenMode
{
    /// <summary>None.</summary>
    None,

    /// <summary>The access token the caller came with; behind a session the session's, refreshed first if need be.</summary>
    Caller,

    /// <summary>The gateway's own, by client credentials (RFC 6749 section 4.4).</summary>
    Client,

    /// <summary>The caller's token exchanged for one for this service (RFC 8693).</summary>
    Exchange,

    /// <summary>The same at Entra ID (<c>jwt-bearer</c> with <c>on_behalf_of</c>).</summary>
    OnBehalfOf,
}

/// <summary>What a service gets for callers who have no token to hand on.</summary>
public enum TokenOtherwise
{
    /// <summary>It is not called.</summary>
    Fail,

    /// <summary>The gateway's own token.</summary>
    Client,

    /// <summary>It is called without one.</summary>
    None,
}

/// <summary><c>Upstreams:&lt;name&gt;:Token</c>: what the service gets in <c>Authorization</c>.</summary>
[Settings("Upstreams:<name>:Token")]
public sealed record TokenOptions
{
    /// <summary>
    /// Token that the service receives: none, the caller's, the gateway's own, or one for which the caller's token is exchanged.
    /// </summary>
    [Setting]
    public TokenMode Mode { get; init; }

    /// <summary>Registration under `Clients` with which the gateway requests tokens.</summary>
    [Setting(Range = "the name of a registration under `Clients`")]
    public string Client { get; init; } = "default";

    /// <summary>Scope of the requested token.</summary>
    [Setting(Default = "none")]
    public string? Scope { get; init; }

    /// <summary>Resource of the requested token (RFC 8707).</summary>
    [Setting(Range = "an absolute address", Default = "none")]
    public string? Resource { get; init; }

    /// <summary>Audience of the requested token (RFC 8693; Auth0 reads it for client credentials too).</summary>
    [Setting(Default = "none")]
    public string? Audience { get; init; }

    /// <summary>
    /// What happens for callers without a token, such as those with an API key: the call fails, or it is sent with the gateway's own token
    /// or without one.
    /// </summary>
    [Setting]
    public TokenOtherwise Otherwise { get; init; }

    /// <summary>Whether answers depend on the caller's token.</summary>
    internal bool IsOfCaller => Mode is TokenMode.Caller or TokenMode.Exchange or TokenMode.OnBehalfOf;

    /// <summary>Whether the gateway asks for tokens.</summary>
    internal bool IsAsked =>
        Mode is TokenMode.Client or TokenMode.Exchange or TokenMode.OnBehalfOf
        || (Mode == TokenMode.Caller && Otherwise == TokenOtherwise.Client);
}
