using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Callers.ApiKeys;

/// <summary>
/// Reads API keys from <c>Authorization: Bearer pk_…</c> or <c>X-API-Key</c>, never from a cookie or the query. A request with two
/// different credentials is refused.
/// </summary>
internal sealed class ApiKeySource(ApiKeyVerifier keys) : ICallerSource
{
    private const string Header = "X-API-Key";
    private const string Scheme = "Bearer ";
    private static readonly CallerResult Repeated = CallerResult.Refused(ProblemCodes.InvalidApiKey, "Send one X-API-Key header.");
    private static readonly CallerResult Contradictory = CallerResult.Refused(
        ProblemCodes.InvalidApiKey,
        "The request carries two different credentials. Send one."
    );

    /// <inheritdoc />
    public string? Challenge => null; // The challenge of Authorization: Bearer covers keys too.

    /// <inheritdoc />
    public ValueTask<CallerResult> Resolve(HttpContext context)
    {
        var headers = context.Request.Headers;
        var authorization = headers.Authorization;
        var named = headers[Header];
        var bearer = authorization.Count == 1 ? KeyIn(authorization[0]) : default;
        if (named.Count == 0)
        {
            return bearer.IsEmpty ? new(CallerResult.None) : keys.Verify(bearer, context.RequestAborted);
        }

        if (named.Count > 1)
        {
            return new(Repeated);
        }

        var key = named[0].AsSpan();
        if (authorization.Count > 0 && !ApiKeyMemory.IsSame(bearer, key))
        {
            return new(Contradictory);
        }

        return key.Length == ApiKeyFormat.Length ? keys.Verify(key, context.RequestAborted) : new(Malformed);
    }

    bool? ICallerSource.IsKnown(HttpContext context)
    {
        var named = context.Request.Headers[Header];
        if (named.Count > 0)
        {
            return named.Count == 1 && keys.IsKnown(named[0]);
        }

        var authorization = context.Request.Headers.Authorization;
        var bearer = authorization.Count == 1 ? KeyIn(authorization[0]) : default;
        return bearer.IsEmpty ? null : keys.IsKnown(bearer);
    }

    private static CallerResult Malformed { get; } = CallerResult.Refused(ProblemCodes.InvalidApiKey);

    private static ReadOnlySpan<char> KeyIn(ReadOnlySpan<char> authorization)
    {
        if (!authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return default;
        }

        var token = authorization[Scheme.Length..].Trim(' ');
        return token.StartsWith(ApiKeyFormat.Prefix) ? token : default;
    }
}
