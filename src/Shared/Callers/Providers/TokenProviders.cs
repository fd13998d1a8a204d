using System.Text.Json;
using Bff.Callers.Bearer;
using Bff.Callers.Keys;
using Bff.Configuration;
using Bff.Life;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bff.Callers.Providers;

/// <summary>A provider's settings and its keys.</summary>
internal sealed record TokenProvider(ProviderSettings Settings, SigningKeys Keys);

/// <summary>Thrown when two authorities, or an authority and its settings, contradict each other.</summary>
#pragma warning disable CA1032 // The exception is useless without its message.
internal sealed class ContradictoryProviderException(string message) : Exception(message);
#pragma warning restore CA1032

/// <summary>
/// The providers whose tokens the host accepts, told apart by issuer. Their keys are read in parallel, so that an unavailable authority
/// does not affect the others.
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

    /// <summary>Whether every authority's keys have been read once.</summary>
    public bool IsReady => Array.TrueForAll(_all, p => p.Keys.IsReady);

    /// <summary>Whether any provider has keys, or an authority that publishes them.</summary>
    public bool HaveKeys => Array.Exists(_all, p => p.Settings.HasKeys);

    /// <summary>A number that changes when the keys or issuers of any provider change.</summary>
    public int Version => Volatile.Read(ref _version);

    /// <summary>Returns the provider at this position.</summary>
    public TokenProvider this[int index] => _all[index];

    /// <summary>Returns the provider whose issuer is the token's <c>iss</c>; null when there is none.</summary>
    /// <param name="claims">The claims, not yet verified.</param>
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

    /// <summary>Does the same, but first waits for authorities that have not been read yet, because their issuers are not known.</summary>
    public async ValueTask<TokenProvider?> Find(JsonElement claims, CancellationToken cancellation)
    {
        for (var waits = 0; ; waits++)
        {
            var wasReady = IsReady; // Read first, so that an authority that is read in the meantime is looked at once more.
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

    /// <summary>Returns the provider of an introspected token. The response need not name the issuer (RFC 7662 section 2.2).</summary>
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
            await ended; // A failure stops the host while the other loops still run.
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
