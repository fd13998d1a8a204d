using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Bff.Dev.Upstreams;

/// <summary>
/// Checks callers' tokens like a service that does so itself: accepts only those of one authority that are meant for it.
/// </summary>
internal sealed class TokenCheck(string authority) : IDisposable
{
    private readonly HttpClient http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly JsonWebTokenHandler handler = new() { MapInboundClaims = false };
    private readonly CancellationTokenSource stopping = new();
    private IList<SecurityKey> keys = [];

    /// <summary>Reads the keys before the first call, because a gateway waits only half a second for some answers.</summary>
    public async Task Warm()
    {
        for (var end = stopping.Token; keys.Count == 0 && !end.IsCancellationRequested; )
        {
            try
            {
                await ReadKeys();
                await Verify("not.a.token", "nobody");
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                // The authority starts after the services.
                await Task.Delay(200, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>Returns false after it has answered the request with 401.</summary>
    public async Task<bool> Admits(HttpContext context, string audience)
    {
        const string Scheme = "Bearer ";
        var header = context.Request.Headers.Authorization.ToString();
        if (header.StartsWith(Scheme, StringComparison.Ordinal) && await IsGood(header[Scheme.Length..], audience))
            return true;
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.Headers.WWWAuthenticate = "Bearer error=\"invalid_token\"";
        return false;
    }

    public void Dispose()
    {
        stopping.Cancel();
        stopping.Dispose();
        http.Dispose();
    }

    private async Task<bool> IsGood(string token, string audience)
    {
        if (await Verify(token, audience))
            return true;
        await ReadKeys(); // There is a new key, or no key has been read yet.
        return await Verify(token, audience);
    }

    private async Task ReadKeys() =>
        keys = new JsonWebKeySet(await http.GetStringAsync(authority + "/.well-known/jwks.json")).GetSigningKeys();

    private async Task<bool> Verify(string token, string audience) =>
        (
            await handler.ValidateTokenAsync(
                token,
                new TokenValidationParameters
                {
                    ValidIssuer = authority,
                    ValidAudience = audience,
                    IssuerSigningKeys = keys,
                    ClockSkew = TimeSpan.FromSeconds(5),
                    LogValidationExceptions = false,
                }
            )
        ).IsValid;
}
