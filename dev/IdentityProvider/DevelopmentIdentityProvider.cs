using System.Text.Json.Nodes;

namespace Bff.Dev.IdentityProvider;

/// <summary>
/// An OpenID Connect provider for development and tests. It asks for no password and issues any token to anybody who reaches it, so it
/// refuses to start in Production.
/// </summary>
public sealed partial class DevelopmentIdentityProvider : IAsyncDisposable
{
    private readonly BackchannelLogout backchannel;
    private WebApplication? app;

    private DevelopmentIdentityProvider(IdentityProviderOptions options)
    {
        Options = options;
        Tokens = new TokenFactory(options, Keys);
        Sessions = new SsoSessions(options);
        Grants = new GrantStore(options);
        backchannel = new BackchannelLogout(options, Tokens);
    }

    /// <summary>The issuer, without a trailing slash.</summary>
    public string Authority => Tokens.Issuer;

    /// <summary>Options that may be changed while running, except the address.</summary>
    public IdentityProviderOptions Options { get; }

    public CallCounters Calls { get; } = new();

    public Faults Faults { get; } = new();

    /// <summary>The ids of the keys in the key set, oldest first.</summary>
    public IReadOnlyList<string> PublishedKeys => [.. Keys.Published().Select(key => key.Kid)];

    /// <summary>The flaw of all id_tokens that are issued from now on.</summary>
    public TokenFlaw IdTokenFlaw
    {
        get => Tokens.IdTokenFlaw;
        set => Tokens.IdTokenFlaw = value;
    }

    /// <summary>Changes the claims of every id_token before it is signed.</summary>
    public Action<JsonObject>? ChangeIdToken
    {
        get => Tokens.ChangeIdToken;
        set => Tokens.ChangeIdToken = value;
    }

    internal KeyRing Keys { get; } = new();

    internal TokenFactory Tokens { get; }

    internal SsoSessions Sessions { get; }

    internal GrantStore Grants { get; }

    /// <exception cref="ArgumentException">The algorithm or key id does not exist.</exception>
    public string MintToken(TokenRequest? request = null) => Tokens.Mint(request ?? new TokenRequest());

    /// <summary>Creates a logout token for a client, with the given flaws.</summary>
    public string CreateLogoutToken(
        string clientId,
        string? sub,
        string? sid,
        TokenFlaw flaw = TokenFlaw.None,
        Action<JsonObject>? change = null
    ) => Tokens.LogoutToken(clientId, sub, sid, flaw, change);

    /// <summary>Posts any logout token to a client's back-channel address.</summary>
    public Task<BackchannelDelivery> SendLogoutTokenAsync(string clientId, string logoutToken, CancellationToken cancellation = default) =>
        backchannel.SendAsync(clientId, logoutToken, cancellation);

    /// <summary>Signs with new keys from now on; the old ones stay published until they are withdrawn.</summary>
    /// <returns>The ids of the new keys.</returns>
    public IReadOnlyList<string> RotateKeys() => Keys.Rotate();

    /// <returns>False when no published key has this id.</returns>
    public bool WithdrawKey(string kid) => Keys.Withdraw(kid);

    /// <summary>The <c>sid</c> of each of the user's sessions at the provider.</summary>
    public IReadOnlyList<string> SessionsOf(string sub) => [.. Sessions.Matching(sid: null, sub).Select(session => session.Sid)];

    /// <summary>Ends the sessions of a <c>sid</c>, a <c>sub</c> or both, and notifies their clients over the back channel.</summary>
    public async Task<IReadOnlyList<BackchannelDelivery>> SignOutAsync(
        string? sid = null,
        string? sub = null,
        CancellationToken cancellation = default
    )
    {
        if (sid is null && sub is null)
            throw new ArgumentException("Name the session (sid) or the user (sub) whose sessions end.");
        var deliveries = new List<BackchannelDelivery>();
        foreach (var session in Sessions.Matching(sid, sub))
            deliveries.AddRange(await EndAsync(session, cancellation));
        return deliveries;
    }

    /// <summary>Revokes what a user's sign-ins granted, without notifying anybody; the next refresh is refused.</summary>
    /// <returns>Number of revoked sign-ins.</returns>
    public int RevokeRefreshTokens(string sub) => Grants.Revoke(grant => grant.User.Subject == sub);

    internal Task<BackchannelDelivery[]> EndAsync(SsoSession session, CancellationToken cancellation)
    {
        Sessions.End(session);
        Grants.Revoke(grant => grant.Sid == session.Sid);
        return backchannel.SendAsync(session, cancellation);
    }

    internal RequestDelegate Endpoint(IdentityEndpoint endpoint, RequestDelegate handler)
    {
        var guarded = Faults.Guard(endpoint, handler);
        return context =>
        {
            Calls.Add(endpoint);
            return guarded(context);
        };
    }
}
