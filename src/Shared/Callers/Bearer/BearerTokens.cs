using Bff.Callers.Providers;
using Bff.Configuration;
using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Callers.Bearer;

/// <summary>
/// Reads access tokens from <c>Authorization: Bearer</c> (RFC 6750 section 2.1) and from nowhere else. 1. Require one header with one
/// token. 2. Answer a remembered token at once. 3. Verify a JWT; introspect an opaque token. 4. Remember the outcome.
/// </summary>
internal sealed class BearerTokens(
    JwtVerifier jwts,
    Introspector introspector,
    TokenProviders providers,
    Reloadable<BearerSettings> settings,
    TimeProvider time
) : ICallerSource
{
    private const string Scheme = "Bearer ";
    private static readonly TimeSpan RejectedFor = TimeSpan.FromSeconds(2); // Not longer, because the next fetch may bring the key.

    private readonly TokenMemory<VerifiedToken> _verified = new(maxBytes: 64 << 20);
    private readonly TokenMemory<RejectedToken> _rejected = new(maxBytes: 4 << 20);

    private readonly int _maxLength = settings.Current.MaxTokenBytes; // In characters, which are all ASCII.

    private sealed record RejectedToken(CallerResult Result, int Version, DateTimeOffset Until);

    /// <inheritdoc />
    public string? Challenge => "Bearer";

    /// <inheritdoc />
    public ValueTask<CallerResult> Resolve(HttpContext context)
    {
        var authorization = context.Request.Headers.Authorization;
        if (IsTokenInQuery(context.Request))
        {
            return new(Refusals.InQuery);
        }

        if (authorization.Count != 1)
        {
            return new(authorization.Count == 0 ? CallerResult.None : Refusals.Repeated);
        }

        var header = authorization[0].AsSpan();
        if (!header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return new(header.Equals("Bearer", StringComparison.OrdinalIgnoreCase) ? Refusals.Malformed : CallerResult.None);
        }

        var token = header[Scheme.Length..].Trim(' ');
        if (token.IsEmpty || token.Length > _maxLength)
        {
            return new(Refusals.Malformed);
        }

        return Resolve(token, context.RequestAborted);
    }

    bool? ICallerSource.IsKnown(HttpContext context)
    {
        var authorization = context.Request.Headers.Authorization;
        if (IsTokenInQuery(context.Request) || authorization.Count > 1)
        {
            return false;
        }

        var header = authorization.Count == 0 ? default : authorization[0].AsSpan();
        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? _verified.TryGet(header[Scheme.Length..].Trim(' '), out _)
            : null;
    }

    CallerToken ICallerSource.TokenOf(HttpContext context) => CallerToken.OfHeader(context.Request.Headers.Authorization[0]!);

    /// <summary>
    /// Returns the result for a header that was accepted before: no refusal if its token is still good or the header holds none.
    /// </summary>
    public ValueTask<CallerResult> ResolveAgain(string header, CancellationToken cancellation) =>
        header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? Resolve(header.AsSpan(Scheme.Length).Trim(' '), cancellation)
            : new(CallerResult.None);

    private ValueTask<CallerResult> Resolve(ReadOnlySpan<char> token, CancellationToken cancellation) =>
        Remembered(token) is { } known ? new(known) : Verify(token.ToString(), cancellation);

    private CallerResult? Remembered(ReadOnlySpan<char> token)
    {
        if (_verified.TryGet(token, out var verified))
        {
            if (verified.Until > time.GetUtcNow() && verified.IsKeyGood())
            {
                return verified.Result;
            }

            _verified.Remove(token);
        }

        return _rejected.TryGet(token, out var rejected) && rejected.Version == providers.Version && rejected.Until > time.GetUtcNow()
            ? rejected.Result
            : null;
    }

    private async ValueTask<CallerResult> Verify(string token, CancellationToken cancellation)
    {
        if (jwts.IsConfigured && JwtSyntax.LooksLikeJwt(token))
        {
            return await VerifyJwt(token, cancellation);
        }

        if (!introspector.IsConfigured)
        {
            return Refusals.Malformed;
        }

        var (verified, refusal) = await introspector.Introspect(token, _verified, cancellation);
        if (refusal == Refusals.Inactive)
        {
            _rejected.Set(token, new RejectedToken(refusal, providers.Version, time.GetUtcNow() + introspector.InactiveFor));
        }

        return verified?.Result ?? refusal;
    }

    private async ValueTask<CallerResult> VerifyJwt(string token, CancellationToken cancellation)
    {
        var version = providers.Version;
        var (verified, refusal) = await jwts.Verify(token, cancellation);
        if (verified is not null)
        {
            _verified.Set(token, verified);
            return verified.Result;
        }

        if (refusal != Refusals.Unavailable && refusal != Refusals.Malformed)
        {
            _rejected.Set(token, new RejectedToken(refusal, version, time.GetUtcNow() + RejectedFor));
        }

        return refusal;
    }

    private static bool IsTokenInQuery(HttpRequest request) =>
        request.QueryString.Value is { Length: > 0 } query
        && (query.Contains("token", StringComparison.OrdinalIgnoreCase) || query.Contains('%', StringComparison.Ordinal))
        && request.Query.ContainsKey("access_token");
}
