using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace Bff.Upstreams.Tokens;

/// <summary>
/// The token endpoint of one registration: 1. the breaker must be closed; 2. one request is made within
/// <c>Clients:&lt;name&gt;:Timeout</c>;
/// 3. the result is a token, a refusal (which is no failure of the endpoint), or no answer.
/// </summary>
internal sealed partial class TokenEndpoint
{
    public const string HttpName = "bff-token-endpoint";

    private readonly IAuthorizationServer _server;
    private readonly TimeProvider _time;
    private readonly TokenMetrics _metrics;
    private readonly ILogger _logger;
    private readonly CircuitBreaker _breaker;

    public TokenEndpoint(
        ClientRegistration registration,
        IHttpClientFactory clients,
        TimeProvider time,
        TokenMetrics metrics,
        ILogger logger
    )
    {
        (Registration, _time, _metrics, _logger) = (registration, time, metrics, logger);
        _server = registration.IsEntra ? Entra(registration, clients) : new OAuthServer(registration, clients, time);
        _breaker = new CircuitBreaker(
            new()
            {
                FailureRatio = 0.5,
                MinimumThroughput = 3,
                SamplingDuration = TimeSpan.FromSeconds(30),
                BreakDuration = TimeSpan.FromSeconds(5),
            },
            time
        );
    }

    public ClientRegistration Registration { get; }

    /// <summary>Requests a token once. Never throws.</summary>
    /// <param name="wanted">Token settings of the service.</param>
    /// <param name="subject">The caller's token to exchange; null for a token of the gateway's own.</param>
    /// <param name="afterRefusal">Whether the service has rejected the previous token.</param>
    public async Task<TokenResult> Ask(TokenOptions wanted, string? subject, bool afterRefusal)
    {
        if (!_breaker.TryEnter(out var permit))
        {
            _metrics.Count(Registration.Name, "unavailable");
            return TokenResult.Unavailable(_breaker.RetryAfter);
        }

        var asked = _time.GetTimestamp();
        using var limit = new CancellationTokenSource(Registration.Timeout, _time);
        try
        {
            var answer = await _server.Ask(wanted, subject, afterRefusal, limit.Token);
            _breaker.Ended(permit, isGood: !answer.IsAway);
            if (answer.Token is { } token)
            {
                _metrics.Count(Registration.Name, "granted");
                return new(new KeptToken(token, answer.Life, asked, afterRefusal, _time), UpstreamOutcome.Ok);
            }

            _metrics.Count(Registration.Name, answer.Refusal is null ? "failed" : "refused");
            if (answer.Refusal is not { } refusal)
            {
                LogAway(_logger, Registration.Name, "no usable answer");
                return TokenResult.Unavailable();
            }

            LogRefused(_logger, Registration.Name, Known(refusal));
            return TokenResult.Refused;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            _breaker.Ended(permit, isGood: false);
            _metrics.Count(Registration.Name, "timeout");
            LogAway(_logger, Registration.Name, "no answer in time");
            return TokenResult.Unavailable();
        }
#pragma warning disable CA1031 // Every error means that there is no token.
        catch (Exception failed)
#pragma warning restore CA1031
        {
            _breaker.Ended(permit, isGood: false);
            _metrics.Count(Registration.Name, "failed");
            LogAway(_logger, Registration.Name, failed.GetType().Name);
            return TokenResult.Unavailable();
        }
    }

    /// <summary>A separate method, so that hosts without such a registration do not load Microsoft.Identity.Web.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static EntraServer Entra(ClientRegistration registration, IHttpClientFactory clients) => new(registration, clients);

    // The code is text of the server's choice, so the log repeats only codes of the standards and of Entra.
    private static string Known(string error) =>
        error
            is "invalid_client"
                or "invalid_grant"
                or "invalid_request"
                or "invalid_scope"
                or "invalid_target"
                or "unauthorized_client"
                or "unsupported_grant_type"
                or "access_denied"
                or "interaction_required"
                or "consent_required"
                or "login_required"
            ? error
            : "other";

    [LoggerMessage(
        1621,
        LogLevel.Warning,
        "The token endpoint of client {Client} returned no token ({Reason}); services that need one are unavailable",
        EventName = "TokenEndpointUnavailable"
    )]
    private static partial void LogAway(ILogger logger, string client, string reason);

    [LoggerMessage(
        1622,
        LogLevel.Warning,
        "The token endpoint of client {Client} refused a token ({Error}); the call that needs it fails",
        EventName = "TokenRefused"
    )]
    private static partial void LogRefused(ILogger logger, string client, string error);
}
