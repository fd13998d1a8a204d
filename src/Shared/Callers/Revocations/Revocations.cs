using Bff.Concurrency;
using Bff.Configuration;
using Bff.Edge;
using Bff.Observability;
using Bff.State;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bff.Callers;

/// <summary>
/// Refuses revoked tokens, on this instance within a second of the revocation on any other:
/// 1. all that is revoked is read at the start; 2. new ones are pushed; 3. twice a second the store's version tells whether a push was missed
/// (a lost connection, a restart), and all is read again; 4. while the store is away the known ones hold.
/// </summary>
public sealed class Revocations : BackgroundService, IReadinessCheck
{
    private static readonly TimeSpan PollEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan PurgeEvery = TimeSpan.FromMinutes(1);
    private static readonly Problem Revoked = new(ProblemCodes.TokenRevoked);
    private static readonly Problem Unknown = new(ProblemCodes.StoreUnavailable) { RetryAfter = TimeSpan.FromSeconds(1) };

    private readonly RevocationList _list = new();
    private readonly IRevocationStore _store;
    private readonly RevocationSettings _settings;
    private readonly TimeProvider _time;
    private readonly BackgroundLoop _loop;
    private long _seen = -1;

    internal Revocations(IRevocationStore store, Reloadable<RevocationSettings> settings, TimeProvider time, ILogger<Revocations> logger)
    {
        (_store, _settings, _time, _loop) = (store, settings.Current, time, new("revocations", logger));
    }

    /// <inheritdoc />
    public string Name => "revocations";

    /// <summary>False until the list has been read once: before that a revoked token could pass.</summary>
    public bool IsReady => Volatile.Read(ref _seen) >= 0;

    /// <summary>Revokes one token. This instance refuses it at once, the others within a second.</summary>
    /// <exception cref="StoreUnavailableException">The store is away; repeat it.</exception>
    public Task RevokeToken(string tokenId, CancellationToken cancellation = default) =>
        Revoke(Revocation.OfToken(tokenId, _time.GetUtcNow() + _settings.Retention), cancellation);

    /// <summary>Revokes whatever the subject was issued before a moment.</summary>
    /// <exception cref="StoreUnavailableException">The store is away; repeat it.</exception>
    public Task RevokeSubject(string subject, DateTimeOffset issuedBefore, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        return Revoke(Revocation.OfSubject(subject, issuedBefore, (issuedBefore > now ? issuedBefore : now) + _settings.Retention), cancellation);
    }

    /// <summary>Why the caller's token or session may not go on; null when it may. Costs next to nothing while nothing is revoked.</summary>
    internal Problem? Check(Caller caller)
    {
        if (caller.Kind is not (CallerKind.Token or CallerKind.Session))
        {
            return null; // API keys have a revocation of their own.
        }

        if (_list.Contains(caller))
        {
            return Revoked;
        }

        return _settings.OnStoreFailure == RevocationStoreFailure.Reject && !(IsReady && _store.IsAvailable) ? Unknown : null;
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var pushed = _store.Subscribe(Pushed);
        var purged = _time.GetTimestamp();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await _loop.Try(CatchUp, stoppingToken); // While it fails the known ones hold.
                if (_time.GetElapsedTime(purged) >= PurgeEvery)
                {
                    purged = _time.GetTimestamp();
                    _list.Purge(_time.GetUtcNow());
                }

                await Task.Delay(PollEvery, _time, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task Revoke(Revocation revocation, CancellationToken cancellation)
    {
        await _store.Add(revocation, cancellation);
        _list.Add(revocation);
    }

    private void Pushed(Revocation revocation, long version)
    {
        _list.Add(revocation);
        Interlocked.CompareExchange(ref _seen, version, version - 1); // A gap stays one, for CatchUp to find.
    }

    private async Task CatchUp(CancellationToken cancellation)
    {
        var version = await _store.Version(cancellation);
        var seen = Volatile.Read(ref _seen);
        if (version == seen)
        {
            return;
        }

        foreach (var revocation in await _store.All(cancellation))
        {
            _list.Add(revocation);
        }

        Interlocked.CompareExchange(ref _seen, version, seen);
    }
}
