using System.Net;
using System.Text.Json;
using Bff.Callers.Clients;
using Bff.Callers.Keys;
using Bff.Callers.Providers;
using Bff.Concurrency;
using Bff.Configuration;
using Duende.IdentityModel;
using Duende.IdentityModel.Client;
using Microsoft.Extensions.Logging;

namespace Bff.Callers.Bearer;

/// <summary>
/// Asks the authority about opaque tokens (RFC 7662). Concurrent requests with the same token share one call, and its answer is remembered.
/// A call is limited by <c>Authentication:Introspection:Timeout</c>, and the number of concurrent calls is bounded. A malformed response
/// says nothing about the token: the request gets 503, never 401.
/// </summary>
internal sealed partial class Introspector(
    Reloadable<BearerSettings> settings,
    TokenProviders providers,
    IHttpClientFactory clients,
    TimeProvider time,
    ILogger<Introspector> logger
)
{
    private const int MaxAtOnce = 256;
    private static readonly TimeSpan RememberedFor = TimeSpan.FromSeconds(60);
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    private readonly BearerSettings _settings = settings.Current;
    private readonly SingleFlight<string> _questions = new(StringComparer.Ordinal);

    /// <summary>Whether opaque tokens are accepted.</summary>
    public bool IsConfigured => _settings.Introspection is not null;

    /// <summary>How long an inactive token is remembered as inactive.</summary>
    public TimeSpan InactiveFor => _settings.Introspection?.NegativeCache ?? TimeSpan.Zero;

    /// <summary>Returns the caller, or the refusal.</summary>
    /// <param name="token">A token that is not a JWT.</param>
    /// <param name="verified">The remembered tokens. They are checked again here, because one may have been added since the first
    /// lookup.</param>
    /// <param name="cancellation">Cancellation of the waiting request.</param>
    public async ValueTask<(VerifiedToken? Verified, CallerResult Refusal)> Introspect(
        string token,
        TokenMemory<VerifiedToken> verified,
        CancellationToken cancellation
    )
    {
        var question = _questions.TryRun(token, MaxAtOnce, (Self: this, Memory: verified), static (key, to) => to.Self.Ask(key, to.Memory));
        return question is null ? (null, Refusals.Unavailable) : await question.WaitAsync(cancellation);
    }

    /// <summary>Asks the authority. The first request's cancellation does not end the call, because others may wait for it.</summary>
    private async Task<(VerifiedToken?, CallerResult)> Ask(string token, TokenMemory<VerifiedToken> verified)
    {
        try
        {
            if (verified.TryGet(token, out var known) && known.Until > time.GetUtcNow())
            {
                return (known, default);
            }

            using var timeout = new CancellationTokenSource(_settings.Introspection!.Timeout, time);
            using var answer = await Send(token, timeout.Token);
            var judged = Judge(answer.RootElement);
            if (judged.Verified is not null)
            {
                verified.Set(token, judged.Verified); // Set before this run ends, so that a later request finds the run or the token.
            }

            return judged;
        }
#pragma warning disable CA1031 // After any failure the token is simply not verified.
        catch (Exception failed)
#pragma warning restore CA1031
        {
            LogFailed(logger, failed.GetType().Name);
            return (null, Refusals.Unavailable);
        }
    }

    /// <summary>Returns the raw response. It decides who the caller is, so it is read more strictly than the package does.</summary>
    private async Task<JsonDocument> Send(string token, CancellationToken cancellation)
    {
        var introspection = _settings.Introspection!;
        using var client = clients.CreateClient(AuthorityDocuments.ClientName);
        using var request = new TokenIntrospectionRequest
        {
            Address = introspection.Endpoint.AbsoluteUri,
            Token = token,
            TokenTypeHint = OidcConstants.TokenTypes.AccessToken,
        }.From(introspection.ClientId, introspection.ClientSecret, ClientAuthentication.Basic);
        using var answer = await client.IntrospectTokenAsync(request, cancellation);
        return answer.HttpStatusCode == HttpStatusCode.OK && answer.Raw is { } body
            ? JsonDocument.Parse(body, Strict)
            : throw new InvalidDataException("The introspection endpoint did not answer 200.", answer.Exception);
    }

    private (VerifiedToken? Verified, CallerResult Refusal) Judge(JsonElement answer)
    {
        var isActive =
            answer.ValueKind == JsonValueKind.Object
            && answer.TryGetProperty("active", out var active)
            && active.ValueKind is JsonValueKind.True or JsonValueKind.False
                ? active.ValueKind == JsonValueKind.True
                : throw new InvalidDataException("The introspection endpoint's answer has no 'active'.");
        if (!isActive)
        {
            return (null, Refusals.Inactive);
        }

        var now = time.GetUtcNow();
        if (providers.OfIntrospection(answer) is not { } provider)
        {
            return (null, Refusals.Issuer);
        }

        if (
            TokenClaims.Read(answer, provider.Settings.Claims, TokenUse.Access) is not { } caller
            || !TokenClaims.TryReadDate(answer, "nbf", out var notBefore)
        )
        {
            return (null, Refusals.Claims);
        }

        if (!IsForUs(answer, caller.Client, provider.Settings))
        {
            return (null, Refusals.Issuer);
        }

        if (caller.ExpiresAt <= now)
        {
            return (null, Refusals.Expired);
        }

        if (notBefore - TokenClaims.ClockSkew > now)
        {
            return (null, Refusals.NotYet);
        }

        var until = now + RememberedFor;
        return (new VerifiedToken(caller, caller.ExpiresAt < until ? caller.ExpiresAt.Value : until, null, null, null), default);
    }

    /// <summary>
    /// Whether the token is meant for this gateway. An authority calls a token active no matter which service it was issued for. Without
    /// <c>aud</c> nothing says that it was issued for this gateway, unless configuration names clients that only have tokens for it.
    /// </summary>
    private bool IsForUs(JsonElement answer, string? client, ProviderSettings provider)
    {
        var clients = _settings.Introspection!.AllowedClients;
        if (!provider.Allows(client) || (clients.Count > 0 && (client is null || !clients.Contains(client))))
        {
            return false;
        }

        return answer.TryGetProperty("aud", out var audience)
            ? IsAmong(audience, provider.Audiences)
            : clients.Count > 0 || provider.AllowedClients.Count > 0;
    }

    private static bool IsAmong(JsonElement value, IReadOnlyList<string> accepted) =>
        value.ValueKind == JsonValueKind.Array
            ? value.EnumerateArray().Any(item => item.ValueKind == JsonValueKind.String && accepted.Contains(item.GetString()!))
            : value.ValueKind == JsonValueKind.String && accepted.Contains(value.GetString()!);

    [LoggerMessage(
        1411,
        LogLevel.Warning,
        "A token could not be introspected ({Reason}); its request is refused",
        EventName = "IntrospectionFailed"
    )]
    private static partial void LogFailed(ILogger logger, string reason);
}
