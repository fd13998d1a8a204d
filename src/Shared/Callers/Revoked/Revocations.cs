using Bff.Audit;
using Bff.Concurrency;
using Bff.Configuration;
using Bff.Life;
using Bff.Requests;
using Bff.State;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bff.Callers.Revoked;

/// <summary>
/// Refuses revoked tokens within a second after any instance revoked them. 1. Read all revocations at start. 2. Add new ones that the store
/// announces. 3. Read all again when some may have been missed (a lost connection, a restart, a failover). 4. Keep the known ones while the
/// store is unavailable.
/// </summary>
public sealed class Revocations : BackgroundService, IReadinessCheck
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan PurgeEvery = TimeSpan.FromMinutes(1);
    private static readonly Problem Revoked = new(ProblemCodes.TokenRevoked);
    private static readonly Problem Unknown = new(ProblemCodes.StoreUnavailable) { RetryAfter = TimeSpan.FromSeconds(1) };

    private readonly RevocationList _list = new();
    private readonly IRevocationStore _store;
    private readonly RevocationSettings _settings;
    private readonly TimeProvider _time;
    private readonly BackgroundLoop _loop;
    private readonly Signal _wake = new();
    private int _isBehind = 1;
    private volatile bool _isReady;
    private long _purged;

    internal Revocations(IRevocationStore store, Reloadable<RevocationSettings> settings, TimeProvider time, ILogger<Revocations> logger)
    {
        (_store, _settings, _time, _loop) = (store, settings.Current, time, new("revocations", logger));
        _purged = time.GetTimestamp();
    }

    /// <inheritdoc />
    public string Name => "revocations";

    /// <summary>Whether the list has been read once. Before that a revoked token could pass.</summary>
    public bool IsReady => _isReady;

    /// <summary>Revokes one token. This instance refuses it at once, all others within a second.</summary>
    /// <exception cref="StoreUnavailableException">The store is unavailable. Retry the call.</exception>
    public Task RevokeToken(string tokenId, ChangedBy? by = null, CancellationToken cancellation = default) =>
        Revoke(
            Revocation.OfToken(tokenId, _time.GetUtcNow() + _settings.Retention),
            by?.Entry("token.revoked", null, tokenId),
            cancellation
        );

    /// <summary>Revokes everything that was issued to the subject before a given time.</summary>
    /// <exception cref="StoreUnavailableException">The store is unavailable. Retry the call.</exception>
    public Task RevokeSubject(string subject, DateTimeOffset issuedBefore, ChangedBy? by = null, CancellationToken cancellation = default)
    {
        var now = _time.GetUtcNow();
        return Revoke(
            Revocation.OfSubject(subject, issuedBefore, (issuedBefore > now ? issuedBefore : now) + _settings.Retention),
            by?.Entry("subject.revoked", null, subject, null, AuditFacts.Of(("issued_before", issuedBefore))),
            cancellation
        );
    }

    /// <inheritdoc />
    public override void Dispose()
    {
        _wake.Dispose();
        base.Dispose();
    }

    /// <summary>Returns why the caller's token or session is refused; null when it is not. Cheap while nothing is revoked.</summary>
    internal Problem? Check(Caller caller)
    {
        if (caller.Kind is not (CallerKind.Token or CallerKind.Session))
        {
            return null; // API keys have their own revocation.
        }

        if (IsRevoked(caller))
        {
            return Revoked;
        }

        return _settings.OnStoreFailure == RevocationStoreFailure.Reject && !(IsReady && _store.IsAvailable) ? Unknown : null;
    }

    /// <summary>Whether the caller's token or session has been revoked, as far as this instance knows.</summary>
    internal bool IsRevoked(Caller caller) => caller.Kind is CallerKind.Token or CallerKind.Session && _list.Contains(caller);

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var told = _store.Subscribe(Told);
        await _wake.Follow(LookEvery, _time, Look, stoppingToken);
    }

    private async Task Look(CancellationToken stopping)
    {
        await _loop.Try(CatchUp, stopping); // While reading fails, the known revocations stay in force.
        if (_time.GetElapsedTime(_purged) >= PurgeEvery)
        {
            _purged = _time.GetTimestamp();
            _list.Purge(_time.GetUtcNow());
        }
    }

    private async Task Revoke(Revocation revocation, AuditEntry? entry, CancellationToken cancellation)
    {
        await _store.Add(revocation, cancellation, entry is null ? null : [entry]);
        _list.Add(revocation);
    }

    private void Told(Revocation? added)
    {
        if (added is not null)
        {
            _list.Add(added);
            return;
        }

        Volatile.Write(ref _isBehind, 1);
        _wake.Set();
    }

    private async Task CatchUp(CancellationToken cancellation)
    {
        if (Interlocked.Exchange(ref _isBehind, 0) == 0)
        {
            return;
        }

        var isRead = false;
        try
        {
            foreach (var revocation in await _store.All(cancellation))
            {
                _list.Add(revocation);
            }

            isRead = _isReady = true;
        }
        finally
        {
            if (!isRead)
            {
                Volatile.Write(ref _isBehind, 1); // Retried with the next look.
            }
        }
    }
}
