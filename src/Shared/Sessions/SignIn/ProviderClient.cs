using System.Text.Json;
using System.Text.Json.Serialization;
using Bff.Callers.Clients;
using Bff.Configuration;
using Bff.Requests;
using Duende.IdentityModel;
using Duende.IdentityModel.Client;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Bff.Sessions.SignIn;

/// <summary>How the provider answered.</summary>
internal enum ProviderOutcome
{
    Ok,

    /// <summary>It refused, and would again.</summary>
    Refused,

    /// <summary>No usable answer.</summary>
    Away,
}

/// <param name="Outcome">How it ended.</param>
/// <param name="Tokens">Set when it went well.</param>
internal readonly record struct ProviderAnswer(ProviderOutcome Outcome, TokenAnswer? Tokens = null);

/// <summary>
/// The token and revocation endpoints (RFC 6749, RFC 7009) as a confidential client. Every call is bounded and sent once.
/// </summary>
internal sealed partial class ProviderClient(
    IHttpClientFactory clients,
    ProviderMetadata metadata,
    Reloadable<SessionSettings> settings,
    TimeProvider time,
    ILogger<ProviderClient> logger
)
{
    public const string HttpName = "identity-provider";
    private static readonly TimeSpan RevocationTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Exchanges a code.</summary>
    /// <param name="form">What the token request says; who asks is added here.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public Task<ProviderAnswer> RedeemCode(IEnumerable<KeyValuePair<string, string>> form, CancellationToken cancellation) =>
        Tokens(
            OidcConstants.GrantTypes.AuthorizationCode,
            [.. form.Where(p => p.Key is not (OidcConstants.TokenRequest.GrantType or OidcConstants.TokenRequest.ClientId))],
            cancellation
        );

    public Task<ProviderAnswer> Refresh(string refreshToken, CancellationToken cancellation) =>
        Tokens(OidcConstants.GrantTypes.RefreshToken, [new("refresh_token", refreshToken)], cancellation);

    /// <summary>
    /// Takes a refresh token back, within two seconds: the session has ended whether or not the provider hears of it.
    /// </summary>
    public async Task Revoke(string refreshToken)
    {
        using var limit = new CancellationTokenSource(RevocationTimeout);
        try
        {
            var configuration = await metadata.Get(limit.Token);
            if (configuration.RevocationEndpoint is { Length: > 0 } endpoint)
            {
                using var http = clients.CreateClient(HttpName);
                using var request = Own(
                    new TokenRevocationRequest
                    {
                        Address = endpoint,
                        Token = refreshToken,
                        TokenTypeHint = OidcConstants.TokenTypes.RefreshToken,
                    },
                    configuration
                );
                using var answer = await http.RevokeTokenAsync(request, limit.Token);
                if ((int)answer.HttpStatusCode is < 200 or > 299) // RFC 7009 section 2.2: the status says all, whatever the body holds.
                {
                    LogNotRevoked(logger, (int)answer.HttpStatusCode);
                }
            }
        }
        catch (Exception away) when (away is OperationCanceledException or ProblemException)
        {
            LogNotRevoked(logger, 0);
        }
    }

    /// <summary>
    /// Hands the sign-in's parameters over (RFC 9126); the address that stands for them, null when the provider does not take them.
    /// </summary>
    public async Task<string?> Push(string endpoint, IEnumerable<KeyValuePair<string, string>> parameters, CancellationToken cancellation)
    {
        try
        {
            using var http = clients.CreateClient(HttpName);
            using var request = Own(new PushedAuthorizationRequest { Address = endpoint }, await metadata.Get(cancellation));
            foreach (var (name, value) in parameters.Where(p => p.Key != OidcConstants.TokenRequest.ClientId))
            {
                request.Parameters.Add(name, value);
            }

            using var answer = await http.PushAuthorizationAsync(request, cancellation);
            if (
                answer.Json is { ValueKind: JsonValueKind.Object } json
                && !answer.IsError
                && ClientRequests.Text(json, OidcConstants.AuthorizeRequest.RequestUri) is { Length: > 0 } uri
            )
            {
                return uri;
            }

            Log(answer, "pushed authorization request");
        }
        catch (OperationCanceledException away) when (!cancellation.IsCancellationRequested)
        {
            LogAway(logger, away.GetType().Name);
        }

        return null;
    }

    private async Task<ProviderAnswer> Tokens(string grant, Parameters form, CancellationToken cancellation)
    {
        try
        {
            var configuration = await metadata.Get(cancellation);
            using var http = clients.CreateClient(HttpName);
            using var request = Own(
                new TokenRequest
                {
                    Address = configuration.TokenEndpoint,
                    GrantType = grant,
                    Parameters = form,
                },
                configuration
            );
            using var answer = await http.RequestTokenAsync(request, cancellation);
            if (answer.HasOtherJson())
            {
                throw new JsonException("The token endpoint's answer is no object.");
            }

            if (!answer.IsError)
            {
                var tokens = answer.Json?.Deserialize(ProviderJson.Default.TokenAnswer);
                return
                    tokens is { AccessToken.Length: > 0 } && string.Equals(tokens.TokenType, "Bearer", StringComparison.OrdinalIgnoreCase)
                    ? new(ProviderOutcome.Ok, tokens)
                    : new(ProviderOutcome.Away);
            }

            var error = ClientRequests.ErrorOf(answer);
            Log(answer, Known(error));
            return new(IsFinal(error) ? ProviderOutcome.Refused : ProviderOutcome.Away);
        }
        catch (Exception away)
            when (away is JsonException or ProblemException || (away is OperationCanceledException && !cancellation.IsCancellationRequested)
            )
        {
            LogAway(logger, away.GetType().Name);
            return new(ProviderOutcome.Away);
        }
    }

    private TRequest Own<TRequest>(TRequest request, OpenIdConnectConfiguration configuration)
        where TRequest : ProtocolRequest
    {
        var current = settings.Current;
        return request.From(
            current.ClientId,
            current.ClientSecret,
            current.ClientAuthentication,
            current.PrivateKey is { } key ? () => key.Assertion(current.ClientId, configuration.TokenEndpoint, time) : null
        );
    }

    private void Log(ProtocolResponse answer, string error)
    {
        if (answer.ErrorType == ResponseErrorType.Exception)
        {
            LogAway(logger, answer.Exception?.GetType().Name ?? "");
        }
        else
        {
            LogRefused(logger, (int)answer.HttpStatusCode, error);
        }
    }

    /// <summary>
    /// Whether the same request would be refused again until the user signs in anew: any error of RFC 6749 section 5.2 and OpenID Connect
    /// Core 1.0 section 3.1.2.6. Not one that says "later"; and not a wrong secret, which is the host's mistake: no new sign-in would help,
    /// so no user is signed out for it.
    /// </summary>
    private static bool IsFinal(string? error) =>
        error is { Length: > 0 } and not ("temporarily_unavailable" or "server_error" or "slow_down" or "invalid_client");

    // What a provider writes there is its own text: only the standards' codes are repeated in the log.
    private static string Known(string? error) =>
        error
            is "invalid_grant"
                or "invalid_client"
                or "invalid_request"
                or "invalid_scope"
                or "unauthorized_client"
                or "unsupported_grant_type"
                or "access_denied"
                or "interaction_required"
                or "login_required"
                or "consent_required"
                or "temporarily_unavailable"
                or "server_error"
            ? error
            : "other";

    [LoggerMessage(
        1511,
        LogLevel.Warning,
        "The identity provider refused a request: {Status} ({Error})",
        EventName = "ProviderRefusedRequest"
    )]
    private static partial void LogRefused(ILogger logger, int status, string error);

    [LoggerMessage(1512, LogLevel.Warning, "The identity provider returned no tokens: {Failure}", EventName = "ProviderGaveNoTokens")]
    private static partial void LogAway(ILogger logger, string failure);

    [LoggerMessage(
        1513,
        LogLevel.Warning,
        "The identity provider did not revoke a refresh token (status {Status}); the token is no longer used "
            + "here and stays valid there until it expires",
        EventName = "ProviderDidNotRevoke"
    )]
    private static partial void LogNotRevoked(ILogger logger, int status);
}

/// <summary>The token endpoint's answer, RFC 6749 section 5.1; <c>refresh_expires_in</c> is a common extension.</summary>
internal sealed record TokenAnswer(
    string? AccessToken,
    string? TokenType,
    double? ExpiresIn = null,
    string? RefreshToken = null,
    string? Scope = null,
    string? IdToken = null,
    double? RefreshExpiresIn = null,
    double? RefreshTokenExpiresIn = null
)
{
    /// <summary>Null when there is none, or none in place of the one before: some providers write an empty text then.</summary>
    public string? RefreshToken { get; init; } = RefreshToken is { Length: > 0 } ? RefreshToken : null;

    /// <summary>Null when the provider does not say, or says that it has no end.</summary>
    public TimeSpan? RefreshTokenLife =>
        (RefreshExpiresIn ?? RefreshTokenExpiresIn) is { } seconds and > 0 and < 1e9 ? TimeSpan.FromSeconds(seconds) : null;

    /// <summary>Five minutes when the provider does not say.</summary>
    public TimeSpan AccessTokenLife => ExpiresIn is { } seconds and > 0 and < 1e9 ? TimeSpan.FromSeconds(seconds) : TimeSpan.FromMinutes(5);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    NumberHandling = JsonNumberHandling.AllowReadingFromString
)]
[JsonSerializable(typeof(TokenAnswer))]
internal sealed partial class ProviderJson : JsonSerializerContext;
