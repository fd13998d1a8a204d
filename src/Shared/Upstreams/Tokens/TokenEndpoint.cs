using System.Globalization;
using System.Text.Json;
using Bff.Callers;
using Duende.IdentityModel;
using Duende.IdentityModel.Client;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using Polly.Timeout;

namespace Bff.Upstreams;

/// <summary>
/// One registration's token endpoint: 1. its breaker is closed; 2. discovery has named it, where the registration does not; 3. one request within
/// <c>Clients:&lt;name&gt;:Timeout</c>; 4. its answer is a token, a refusal (which says nothing of the endpoint), or no answer.
/// </summary>
internal sealed partial class TokenEndpoint
{
    public const string HttpName = "bff-token-endpoint";

    private static readonly TimeSpan LifeUnsaid = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan DiscoveryFresh = TimeSpan.FromMinutes(10);

    private readonly IHttpClientFactory _clients;
    private readonly TimeProvider _time;
    private readonly TokenMetrics _metrics;
    private readonly ILogger _logger;
    private readonly ClientKey? _key;
    private readonly ResiliencePipeline<Answer> _pipeline;
    private (Uri Address, long ReadAt)? _discovered;

    public TokenEndpoint(ClientRegistration registration, IHttpClientFactory clients, TimeProvider time, TokenMetrics metrics, ILogger logger)
    {
        (Registration, _clients, _time, _metrics, _logger) = (registration, clients, time, metrics, logger);
        _key = registration.LoadKey();
        _pipeline = new ResiliencePipelineBuilder<Answer> { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions<Answer>
            {
                FailureRatio = 0.5,
                MinimumThroughput = 3,
                SamplingDuration = TimeSpan.FromSeconds(30),
                BreakDuration = TimeSpan.FromSeconds(5),
                ShouldHandle = static args => new(args.Outcome.Exception is not null || args.Outcome.Result.IsAway),
            })
            .AddTimeout(new TimeoutStrategyOptions { Timeout = registration.Timeout })
            .Build();
    }

    public ClientRegistration Registration { get; }

    private readonly record struct Answer(string? Token, TimeSpan Life, string? Refusal)
    {
        public bool IsAway => Token is null && Refusal is null;
    }

    /// <summary>Asks once. Never throws.</summary>
    /// <param name="wanted">For which service.</param>
    /// <param name="subject">The caller's token that is exchanged; null for the gateway's own.</param>
    /// <param name="afterRefusal">Whether the service has refused the token that this one replaces.</param>
    public async Task<TokenResult> Ask(TokenOptions wanted, string? subject, bool afterRefusal)
    {
        var asked = _time.GetTimestamp();
        try
        {
            var answer = await _pipeline.ExecuteAsync(
                static async (to, cancellation) => await to.Self.Send(to.Wanted, to.Subject, cancellation), (Self: this, Wanted: wanted, Subject: subject));
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

            LogRefused(_logger, Registration.Name, refusal);
            return TokenResult.Refused;
        }
        catch (BrokenCircuitException open)
        {
            _metrics.Count(Registration.Name, "unavailable");
            return TokenResult.Unavailable(open.RetryAfter);
        }
        catch (TimeoutRejectedException)
        {
            _metrics.Count(Registration.Name, "timeout");
            LogAway(_logger, Registration.Name, "no answer in time");
            return TokenResult.Unavailable();
        }
#pragma warning disable CA1031 // Whatever went wrong, there is no token.
        catch (Exception failed)
#pragma warning restore CA1031
        {
            _metrics.Count(Registration.Name, "failed");
            LogAway(_logger, Registration.Name, failed.GetType().Name);
            return TokenResult.Unavailable();
        }
    }

    private async Task<Answer> Send(TokenOptions wanted, string? subject, CancellationToken cancellation)
    {
        using var http = _clients.CreateClient(HttpName);
        var address = Registration.TokenEndpoint ?? await Discover(http, cancellation);
        using var request = new TokenRequest
        {
            Address = address.AbsoluteUri,
            ClientId = Registration.ClientId,
            ClientSecret = _key is null ? Registration.ClientSecret : null,
            ClientCredentialStyle = Registration.ClientAuthentication == ClientAuthentication.Basic ? ClientCredentialStyle.AuthorizationHeader : ClientCredentialStyle.PostBody,
            AuthorizationHeaderStyle = BasicAuthenticationHeaderStyle.Rfc6749,
            GrantType = Grant(wanted, subject),
        };
        if (_key is not null)
        {
            request.ClientAssertion = new() { Type = OidcConstants.ClientAssertionTypes.JwtBearer, Value = _key.Assertion(Registration.ClientId, address.AbsoluteUri, _time) };
        }

        Fill(request.Parameters, wanted, subject);
        var answer = await http.RequestTokenAsync(request, cancellation);
        cancellation.ThrowIfCancellationRequested();
        if (answer.ErrorType == ResponseErrorType.Exception)
        {
            _discovered = null; // It may have moved.
            throw answer.Exception ?? new HttpRequestException("The token endpoint did not answer.");
        }

        return Read(answer);
    }

    private static string Grant(TokenOptions wanted, string? subject) => subject is null ? OidcConstants.GrantTypes.ClientCredentials
        : wanted.Mode == TokenMode.OnBehalfOf ? OidcConstants.GrantTypes.JwtBearer
        : OidcConstants.GrantTypes.TokenExchange;

    private static void Fill(Parameters form, TokenOptions wanted, string? subject)
    {
        if (subject is not null && wanted.Mode == TokenMode.OnBehalfOf)
        {
            form.Add("assertion", subject);
            form.Add("requested_token_use", "on_behalf_of");
        }
        else if (subject is not null)
        {
            form.Add("subject_token", subject);
            form.Add("subject_token_type", OidcConstants.TokenTypeIdentifiers.AccessToken);
            form.Add("requested_token_type", OidcConstants.TokenTypeIdentifiers.AccessToken);
        }

        Add("scope", wanted.Scope);
        Add("resource", wanted.Resource);
        Add("audience", wanted.Audience);

        void Add(string name, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                form.Add(name, value);
            }
        }
    }

    private static Answer Read(TokenResponse answer)
    {
        if (!answer.IsError)
        {
            return answer.AccessToken is { Length: > 0 } token && IsHeaderSafe(token) && string.Equals(answer.TokenType, "Bearer", StringComparison.OrdinalIgnoreCase)
                ? new(token, Life(answer.Json), null)
                : default;
        }

        // RFC 6749 section 5.2 has 400 and 401; Auth0 answers 403.
        var error = answer.HttpStatusCode is System.Net.HttpStatusCode.BadRequest or System.Net.HttpStatusCode.Unauthorized or System.Net.HttpStatusCode.Forbidden
            && answer.Json is { ValueKind: JsonValueKind.Object } json && json.TryGetProperty("error", out var named) && named.ValueKind == JsonValueKind.String
                ? named.GetString()
                : null;
        return error is null or "temporarily_unavailable" or "server_error" or "slow_down" ? default : new(null, default, Known(error));
    }

    /// <summary>The token goes into a header as it came; anything but visible ASCII is garbage (RFC 6750 section 2.1).</summary>
    private static bool IsHeaderSafe(string token) => token.Length <= 64 * 1024 && !token.AsSpan().ContainsAnyExceptInRange('!', '~');

    /// <summary>Zero is zero: it is used once. Text is taken too, which some servers send.</summary>
    private static TimeSpan Life(JsonElement? json)
    {
        if (json is not { ValueKind: JsonValueKind.Object } answer || !answer.TryGetProperty("expires_in", out var value))
        {
            return LifeUnsaid;
        }

        var isRead = value.ValueKind switch
        {
            JsonValueKind.Number => value.TryGetDouble(out var number) ? number : double.NaN,
            JsonValueKind.String => double.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var text) ? text : double.NaN,
            _ => double.NaN,
        };
        return isRead is >= 0 and < 1e9 ? TimeSpan.FromSeconds(isRead) : isRead < 0 ? TimeSpan.Zero : LifeUnsaid;
    }

    // What a server writes there is its own text: only codes of the standards and of Entra are repeated in the log.
    private static string Known(string error) => error is "invalid_client" or "invalid_grant" or "invalid_request" or "invalid_scope" or "invalid_target"
        or "unauthorized_client" or "unsupported_grant_type" or "access_denied" or "interaction_required" or "consent_required" or "login_required" ? error : "other";

    private async Task<Uri> Discover(HttpClient http, CancellationToken cancellation)
    {
        if (_discovered is { } known && _time.GetElapsedTime(known.ReadAt) < DiscoveryFresh)
        {
            return known.Address;
        }

        try
        {
            var body = await http.GetByteArrayAsync(new Uri(Registration.Authority!.AbsoluteUri.TrimEnd('/') + "/.well-known/openid-configuration"), cancellation);
            using var document = JsonDocument.Parse(body);
            var text = document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("token_endpoint", out var named)
                && named.ValueKind == JsonValueKind.String ? named.GetString() : null;
            if (!Uri.TryCreate(text, UriKind.Absolute, out var address)
                || (address.Scheme != Uri.UriSchemeHttps && (Registration.RequireHttpsMetadata || address.Scheme != Uri.UriSchemeHttp)))
            {
                throw new InvalidDataException("The discovery document names no usable token_endpoint.");
            }

            _discovered = (address, _time.GetTimestamp());
            return address;
        }
        catch (Exception failed) when (_discovered is not null && failed is HttpRequestException or JsonException or InvalidDataException)
        {
            return _discovered!.Value.Address; // While discovery is away the last good address goes on.
        }
    }

    [LoggerMessage(LogLevel.Warning, "Token endpoint of client {Client} gave no token ({Reason}); services that need one are unavailable")]
    private static partial void LogAway(ILogger logger, string client, string reason);

    [LoggerMessage(LogLevel.Warning, "Token endpoint of client {Client} refused a token ({Error}); the call that needs it fails")]
    private static partial void LogRefused(ILogger logger, string client, string error);
}
