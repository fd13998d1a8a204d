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
/// Asks the authority about opaque tokens (RFC 7662): once per token while its answer is remembered, also for others who have it; within
/// <c>Authentication:Introspection:Timeout</c>; a bounded number at once. An answer that is not one says nothing about the token: 503,
/// never 401.
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

    /// <summary>Whether opaque tokens are accepted at all.</summary>
    public bool IsConfigured => _settings.Introspection is not null;

    /// <summary>How long an inactive token is known to be so.</summary>
    public TimeSpan InactiveFor => _settings.Introspection?.NegativeCache ?? TimeSpan.Zero;

    /// <summary>The caller, or why not.</summary>
    /// <param name="token">Not a JWT.</param>
    /// <param name="verified">What is remembered. The caller has looked there, and may have looked too early.</param>
    /// <param name="cancellation">Of the request that waits.</param>
    public async ValueTask<(VerifiedToken? Verified, CallerResult Refusal)> Introspect(
        string token,
        TokenMemory<VerifiedToken> verified,
        CancellationToken cancellation
    )
    {
        var question = _questions.TryRun(token, MaxAtOnce, (Self: this, Memory: verified), static (key, to) => to.Self.Ask(key, to.Memory));
        return question is null ? (null, Refusals.Unavailable) : await question.WaitAsync(cancellation);
    }

    /// <summary>Not cancelled with the request that began it: others wait for the same answer.</summary>
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
                verified.Set(token, judged.Verified); // Before this run ends: who comes later finds one or the other.
            }

            return judged;
        }
#pragma warning disable CA1031 // Whatever went wrong, the token was not judged.
        catch (Exception failed)
#pragma warning restore CA1031
        {
            LogFailed(logger, failed.GetType().Name);
            return (null, Refusals.Unavailable);
        }
    }

    /// <summary>The answer as it was sent, read more strictly than the package reads it: it decides who a caller is.</summary>
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

        if (notBefore > now)
        {
            return (null, Refusals.NotYet);
        }

        var until = now + RememberedFor;
        return (new VerifiedToken(caller, caller.ExpiresAt < until ? caller.ExpiresAt.Value : until, null, null, null), default);
    }

    /// <summary>
    /// An authority calls a token active for whatever service it was made. Without <c>aud</c> nothing says that it was made for this one,
    /// unless the configuration names the clients that have tokens for nothing else.
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
