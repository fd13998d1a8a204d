using System.Collections.Frozen;
using System.Net;
using Microsoft.AspNetCore.Http;

namespace Bff.Requests;

/// <summary>How a caller authenticated.</summary>
public enum CallerKind
{
    /// <summary>The caller did not authenticate.</summary>
    Anonymous,

    /// <summary>An access token (JWT or opaque) in <c>Authorization</c>.</summary>
    Token,

    /// <summary>A browser session's cookie.</summary>
    Session,

    /// <summary>An API key.</summary>
    ApiKey,
}

/// <summary>
/// The caller of a request. JWT, opaque token, cookie session and API key all become this one type. Immutable; shared between requests.
/// </summary>
public sealed class Caller
{
    /// <summary>
    /// Prefix of the <see cref="Subject"/> of an application. No user's subject starts with it: a user's token with such a subject is
    /// refused.
    /// </summary>
    public const string ApplicationPrefix = "client:";

    private long _notRevokedAt;

    /// <summary>An anonymous caller.</summary>
    public static readonly Caller Anonymous = new() { Subject = "", Kind = CallerKind.Anonymous };

    /// <summary>
    /// Claim <c>sub</c>. For an API key, the key's id. For an application, <see cref="ApplicationPrefix"/> and its client id, so that
    /// whatever is kept, counted or looked up by subject is never mixed with a user of the same name. Empty only for
    /// <see cref="Anonymous"/>.
    /// </summary>
    public required string Subject { get; init; }

    /// <summary>Whether the token belongs to an application (RFC 6749 section 4.4), with no user behind it.</summary>
    public bool IsApplication { get; init; }

    /// <summary>How the caller authenticated.</summary>
    public required CallerKind Kind { get; init; }

    /// <summary>Claim <c>tid</c> or <c>tenant</c>, or the API key's tenant.</summary>
    public string? Tenant { get; init; }

    /// <summary>Claim <c>client_id</c> or <c>azp</c>, or the provider's own claim for it.</summary>
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

    /// <summary>When the credential expires.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>An API key's id. Null for other kinds.</summary>
    public string? KeyId { get; init; }

    /// <summary>The value by which the store finds an API key. It is not the key itself.</summary>
    internal string? KeyHash { get; init; }

    /// <summary>Networks from which an API key may be used. Null: any.</summary>
    public IReadOnlyList<IPNetwork>? AllowedAddresses { get; init; }

    /// <summary>Whether this is a test-mode API key, which is served by the sandbox upstreams and sees nothing live.</summary>
    public bool IsSandbox { get; init; }

    /// <summary>The browser session's id (not the cookie). Null for other kinds.</summary>
    public string? SessionId { get; init; }

    /// <summary>Whether the caller authenticated. False only for <see cref="Anonymous"/>.</summary>
    public bool IsAuthenticated => Kind != CallerKind.Anonymous;

    /// <summary>
    /// The headers that tell services who the caller is. Null until a call first needs them. Kept here because a caller is remembered over
    /// many requests.
    /// </summary>
    internal KeyValuePair<string, string>[]? IdentityHeaders { get; set; }

    /// <summary>The version of the revocation list that was last checked and did not contain the credential.</summary>
    internal long NotRevokedAt
    {
        get => Volatile.Read(ref _notRevokedAt);
        set => Volatile.Write(ref _notRevokedAt, value);
    }

    /// <summary>Whether the credential carries the scope. The comparison is ordinal.</summary>
    public bool HasScope(string scope) => Scopes.Contains(scope);

    /// <summary>Whether the caller has the role. The comparison is ordinal.</summary>
    public bool IsInRole(string role) => Roles.Contains(role, StringComparer.Ordinal);

    /// <summary>Binds the caller as an endpoint parameter.</summary>
    public static ValueTask<Caller?> BindAsync(HttpContext context) => new(BffRequest.Of(context).Caller);
}
