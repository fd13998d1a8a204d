using System.Text.Json;
using Bff.Callers.Bearer;
using Bff.Callers.Keys;
using Bff.Configuration;
using Bff.Life;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bff.Callers.Providers;

/// <summary>One provider at work: what is configured, and its keys.</summary>
internal sealed record TokenProvider(ProviderSettings Settings, SigningKeys Keys);

/// <summary>What two authorities say, or one and its settings, cannot both be.</summary>
#pragma warning disable CA1032 // Without its message it would say nothing.
internal sealed class ContradictoryProviderException(string message) : Exception(message);
#pragma warning restore CA1032

/// <summary>
/// The providers whose tokens the host takes, told apart by issuer. Their keys are read side by side: one that is away costs the others
/// nothing.
/// </summary>
internal sealed class TokenProviders : BackgroundService, IReadinessCheck
{
    private const int MaxWaits = 2;

    private readonly TokenProvider[] _all;
    private readonly TokenProvider? _ofIntrospection;
    private readonly Lock _admitting = new();
    private int _version;

    public TokenProviders(Reloadable<BearerSettings> settings, IHttpClientFactory clients, TimeProvider time, ILogger<SigningKeys> logger)
    {
        var current = settings.Current;
        _all =
        [
            .. current.Providers.Select(p => new TokenProvider(p, new SigningKeys(p, current.KeyRefresh, Admit, clients, time, logger))),
        ];
        _ofIntrospection = _all.Length == 1 ? _all[0] : Array.Find(_all, p => p.Settings is BearerSchemeSettings);
    }

    /// <inheritdoc />
    public string Name => "signing-keys";

    /// <summary>False until every authority's keys have been read once.</summary>
    public bool IsReady => Array.TrueForAll(_all, p => p.Keys.IsReady);

    /// <summary>Whether any provider has keys, or an authority to have them from.</summary>
    public bool HaveKeys => Array.Exists(_all, p => p.Settings.HasKeys);

    /// <summary>Changes with the keys or issuers of any provider.</summary>
    public int Version => Volatile.Read(ref _version);

    /// <summary>The provider, whatever its tokens say.</summary>
    public TokenProvider this[int index] => _all[index];

    /// <summary>Whose token it is by its <c>iss</c>; null: no provider's.</summary>
    /// <param name="claims">Not yet verified.</param>
    public TokenProvider? Of(JsonElement claims)
    {
        if (
            !claims.TryGetProperty("iss", out var value)
            || value.ValueKind != JsonValueKind.String
            || value.GetString() is not { Length: > 0 } issuer
        )
        {
            return null;
        }

        foreach (var provider in _all)
        {
            if (provider.Keys.Current.Issuers.Admits(issuer, TokenClaims.TenantOf(claims, provider.Settings.Claims)))
            {
                return provider;
            }
        }

        return null;
    }

    /// <summary>The same; where an authority has not been read yet, whose issuer is not known therefore, after a wait for it.</summary>
    public async ValueTask<TokenProvider?> Find(JsonElement claims, CancellationToken cancellation)
    {
        for (var waits = 0; ; waits++)
        {
            var wasReady = IsReady; // Asked first: an authority that is read meanwhile is looked at once more.
            var found = Of(claims);
            if (found is not null || wasReady || waits == MaxWaits)
            {
                return found;
            }

            await await Task.WhenAny(
                _all.Where(p => !p.Keys.IsReady)
                    .Select(p => p.Keys.WaitForNewer(p.Keys.Current, cancellation).AsTask())
                    .DefaultIfEmpty(Task.FromResult(true))
            );
        }
    }

    /// <summary>Whose token it is that introspection has spoken of: an answer need not name the issuer (RFC 7662 section 2.2).</summary>
    public TokenProvider? OfIntrospection(JsonElement answer) =>
        Of(answer)
        ?? (!answer.TryGetProperty("iss", out _) || _ofIntrospection is { Keys.Current.Issuers.Names.Count: 0 } ? _ofIntrospection : null);

    /// <inheritdoc />
    public override void Dispose()
    {
        foreach (var provider in _all)
        {
            provider.Keys.Dispose();
        }

        base.Dispose();
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var ended in Task.WhenEach(_all.Select(p => p.Keys.Run(stoppingToken))).WithCancellation(CancellationToken.None))
        {
            await ended; // One that fails stops the host while the others still run.
        }
    }

    private void Admit(SigningKeys keys, IssuerRule issuers)
    {
        lock (_admitting)
        {
            var provider = _all.Single(p => p.Keys == keys);
            if (provider.Settings.AllowedTenants.Count == 0 && issuers.Names.FirstOrDefault(IssuerRule.IsTemplate) is { } template)
            {
                throw new ContradictoryProviderException(
                    $"{provider.Settings.Path}:AllowedTenants is missing: the authority's issuer '{template}' stands for many tenants. Name their ids, or * for any."
                );
            }

            foreach (var other in _all.Where(p => p.Keys != keys))
            {
                if (issuers.Overlap(other.Keys.Current.Issuers) is { } shared)
                {
                    throw new ContradictoryProviderException(
                        $"{provider.Settings.Path} and {other.Settings.Path} have the same issuer '{shared}'. Tokens are told apart by their issuer: leave one of them out."
                    );
                }
            }

            Interlocked.Increment(ref _version);
        }
    }
}
