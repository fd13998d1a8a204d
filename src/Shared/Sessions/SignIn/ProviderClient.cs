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

/// <summary>Outcome of a request to the provider.</summary>
internal enum ProviderOutcome
{
    Ok,

    /// <summary>The provider refused, and would refuse again.</summary>
    Refused,

    /// <summary>There was no usable answer.</summary>
    Away,
}

/// <summary>The provider's answer.</summary>
/// <param name="Outcome">The outcome.</param>
/// <param name="Tokens">The tokens, if the request succeeded.</param>
internal readonly record struct ProviderAnswer(ProviderOutcome Outcome, TokenAnswer? Tokens = null);

/// <summary>
/// Calls the token and revocation endpoints (RFC 6749, RFC 7009) as a confidential client. Every call has a timeout and is sent once.
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

    /// <summary>Exchanges an authorization code for tokens.</summary>
    /// <param name="form">The parameters of the token request. The client's authentication is added here.</param>
    /// <param name="cancellation">Cancels the wait.</param>
    public Task<ProviderAnswer> RedeemCode(IEnumerable<KeyValuePair<string, string>> form, CancellationToken cancellation) =>
        Tokens(
            OidcConstants.GrantTypes.AuthorizationCode,
            [.. form.Where(p => p.Key is not (OidcConstants.TokenRequest.GrantType or OidcConstants.TokenRequest.ClientId))],
            cancellation
        );

    public Task<ProviderAnswer> Refresh(string refreshToken, CancellationToken cancellation) =>
        Tokens(OidcConstants.GrantTypes.RefreshToken, [new("refresh_token", refreshToken)], cancellation);

    /// <summary>Revokes a refresh token, within two seconds. The session has ended whether or not this succeeds.</summary>
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
                if ((int)answer.HttpStatusCode is < 200 or > 299) // RFC 7009 section 2.2: only the status matters.
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
    /// Pushes the sign-in's parameters to the provider (RFC 9126). Returns the URI that stands for them, or null if the provider does not
    /// accept them.
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
    /// Whether the provider would refuse the same request until the user signs in again. That holds for any error of RFC 6749 section 5.2
    /// and OpenID Connect Core 1.0 section 3.1.2.6, except those that mean "later" and a wrong client secret. A wrong secret is the host's
    /// mistake: a new sign-in would not help, so no user is signed out for it.
    /// </summary>
    private static bool IsFinal(string? error) =>
        error is { Length: > 0 } and not ("temporarily_unavailable" or "server_error" or "slow_down" or "invalid_client");

    // A provider may put any text there, so only the standards' codes are repeated in the log.
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
        "The identity provider refused a request: {Status} ({Error}); the sign-in or refresh that sent it gets no tokens",
        EventName = "ProviderRefusedRequest"
    )]
    private static partial void LogRefused(ILogger logger, int status, string error);

    [LoggerMessage(
        1512,
        LogLevel.Warning,
        "The identity provider returned no tokens: {Failure}; the sign-in or refresh that needs them fails",
        EventName = "ProviderGaveNoTokens"
    )]
    private static partial void LogAway(ILogger logger, string failure);

    [LoggerMessage(
        1513,
        LogLevel.Warning,
        "The identity provider did not revoke a refresh token (status {Status}); the gateway no longer uses the token, "
            + "but it stays valid until it expires",
        EventName = "ProviderDidNotRevoke"
    )]
    private static partial void LogNotRevoked(ILogger logger, int status);
}

/// <summary>The token endpoint's answer (RFC 6749 section 5.1). <c>refresh_expires_in</c> is a common extension.</summary>
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
    /// <summary>The new refresh token. Null if there is none; some providers then send an empty string.</summary>
    public string? RefreshToken { get; init; } = RefreshToken is { Length: > 0 } ? RefreshToken : null;

    /// <summary>Lifetime of the refresh token. Null if the provider does not give one, or says that the token does not expire.</summary>
    public TimeSpan? RefreshTokenLife =>
        (RefreshExpiresIn ?? RefreshTokenExpiresIn) is { } seconds and > 0 and < 1e9 ? TimeSpan.FromSeconds(seconds) : null;

    /// <summary>Lifetime of the access token. Five minutes if the provider does not give one.</summary>
    public TimeSpan AccessTokenLife => ExpiresIn is { } seconds and > 0 and < 1e9 ? TimeSpan.FromSeconds(seconds) : TimeSpan.FromMinutes(5);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    NumberHandling = JsonNumberHandling.AllowReadingFromString
)]
[JsonSerializable(typeof(TokenAnswer))]
internal sealed partial class ProviderJson : JsonSerializerContext;
