using System.Collections.Frozen;
using System.Net;
using Microsoft.AspNetCore.Http;

namespace Bff.Requests;

/// <summary>How a caller proved who it is.</summary>
public enum CallerKind
{
    /// <summary>Not at all.</summary>
    Anonymous,

    /// <summary>An access token (JWT or opaque) in <c>Authorization</c>.</summary>
    Token,

    /// <summary>A browser session's cookie.</summary>
    Session,

    /// <summary>An API key.</summary>
    ApiKey,
}

/// <summary>
/// Who is calling: the one shape that JWT, opaque token, cookie session and API key become. Immutable; shared between requests.
/// </summary>
public sealed class Caller
{
    /// <summary>Begins the <see cref="Subject"/> of an application; no user's does, for such a token is refused.</summary>
    public const string ApplicationPrefix = "client:";

    private long _notRevokedAt;

    /// <summary>An anonymous caller.</summary>
    public static readonly Caller Anonymous = new() { Subject = "", Kind = CallerKind.Anonymous };

    /// <summary>
    /// Claim <c>sub</c>; for an API key the key's id; for an application <see cref="ApplicationPrefix"/> and its client id, so that
    /// whatever is kept, counted or asked by subject never meets the user of the same name. Empty only for <see cref="Anonymous"/>.
    /// </summary>
    public required string Subject { get; init; }

    /// <summary>True for a token that belongs to an application (RFC 6749 section 4.4): no user stands behind it.</summary>
    public bool IsApplication { get; init; }

    /// <summary>How the caller proved it.</summary>
    public required CallerKind Kind { get; init; }

    /// <summary>Claim <c>tid</c> or <c>tenant</c>, or the API key's tenant.</summary>
    public string? Tenant { get; init; }

    /// <summary>Claim <c>client_id</c>, <c>azp</c>, or what the provider calls it.</summary>
    public string? Client { get; init; }

    /// <summary>Claim <c>email</c>.</summary>
    public string? Email { get; init; }

    /// <summary>Claim <c>name</c>.</summary>
    public string? Name { get; init; }

    /// <summary>Claim <c>roles</c> (array) or <c>role</c>.</summary>
    public IReadOnlyList<string> Roles { get; init; } = [];

    /// <summary>Claim <c>scope</c> or <c>scp</c>, or the API key's scopes.</summary>
    public FrozenSet<string> Scopes { get; init; } = [];

    /// <summary>Claim <c>jti</c>.</summary>
    public string? TokenId { get; init; }

    /// <summary>Claim <c>iat</c>.</summary>
    public DateTimeOffset? IssuedAt { get; init; }

    /// <summary>When the credential ends.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>An API key's id; null for other kinds.</summary>
    public string? KeyId { get; init; }

    /// <summary>By which the store finds an API key; not the key.</summary>
    internal string? KeyHash { get; init; }

    /// <summary>Networks that an API key may be used from; null: any.</summary>
    public IReadOnlyList<IPNetwork>? AllowedAddresses { get; init; }

    /// <summary>True for a test-mode API key: served by the sandbox upstreams, sees nothing live.</summary>
    public bool IsSandbox { get; init; }

    /// <summary>The browser session's id (not the cookie); null for other kinds.</summary>
    public string? SessionId { get; init; }

    /// <summary>False only for <see cref="Anonymous"/>.</summary>
    public bool IsAuthenticated => Kind != CallerKind.Anonymous;

    /// <summary>
    /// What services are told of the caller; null until a call has needed it. Kept here because callers are remembered over many requests.
    /// </summary>
    internal KeyValuePair<string, string>[]? IdentityHeaders { get; set; }

    /// <summary>The state of the revocation list in which the credential was last found not to be revoked.</summary>
    internal long NotRevokedAt
    {
        get => Volatile.Read(ref _notRevokedAt);
        set => Volatile.Write(ref _notRevokedAt, value);
    }

    /// <summary>Whether the credential carries the scope. Ordinal.</summary>
    public bool HasScope(string scope) => Scopes.Contains(scope);

    /// <summary>Whether the caller has the role. Ordinal.</summary>
    public bool IsInRole(string role) => Roles.Contains(role, StringComparer.Ordinal);

    /// <summary>Lets endpoints ask for the caller as a parameter.</summary>
    public static ValueTask<Caller?> BindAsync(HttpContext context) => new(BffRequest.Of(context).Caller);
}
