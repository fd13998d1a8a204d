using Bff.Configuration;
using Bff.Requests;
using Bff.State;
using Microsoft.Extensions.Logging;

namespace Bff.Callers.ApiKeys;

/// <summary>
/// Verifies API keys. 1. A remembered key is accepted at once, without allocation. 2. A mistyped key fails its checksum without a lookup.
/// 3. A key that was recently found invalid is refused. 4. The key's HMAC is looked up among the keys from configuration, 5. then in the
/// store. Remembered keys are dropped as soon as any instance changes them, and confirmed again when changes may have been missed. They
/// stay valid for <c>ApiKeys:MaxStale</c> while the store is unavailable.
/// </summary>
internal sealed partial class ApiKeyVerifier : IDisposable
{
    private const int MaxKnown = 200_000;
    private const int MaxUnknown = 20_000;
    private static readonly TimeSpan RefreshAfter = TimeSpan.FromSeconds(30); // In case something else than a gateway changed the store.
    private static readonly TimeSpan UnknownFor = TimeSpan.FromSeconds(5);
    private static readonly CallerResult Invalid = CallerResult.Refused(ProblemCodes.InvalidApiKey);

    private readonly IApiKeyStore _store;
    private readonly Reloadable<ApiKeySettings> _settings;
    private readonly ApiKeyUses _uses;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly ApiKeyMemory _known = new(MaxKnown);
    private readonly ApiKeyMemory _unknown = new(MaxUnknown);
    private int _epoch;
    private int _changes;

    public ApiKeyVerifier(
        IApiKeyStore store,
        Reloadable<ApiKeySettings> settings,
        ApiKeyUses uses,
        TimeProvider time,
        ILogger<ApiKeyVerifier> logger
    )
    {
        (_store, _settings, _uses, _time, _logger) = (store, settings, uses, time, logger);
        _store.Changed += OnChanged;
        _uses.Remembered = () => _known.All();
        _settings.OnChange(_ => ForgetAll());
    }

    /// <summary>Number of entries for good keys and for bad keys.</summary>
    internal (int Known, int Unknown) Held => (_known.Count, _unknown.Count);

    /// <summary>Whether the key is remembered as good.</summary>
    public bool IsKnown(ReadOnlySpan<char> key) => _known.Find(key) is not null;

    /// <summary>Returns the caller of the key. Completes synchronously when the key is remembered or mistyped.</summary>
    /// <exception cref="StoreUnavailableException">The store is unavailable, and the key is not remembered or was confirmed too long
    /// ago.</exception>
    public ValueTask<CallerResult> Verify(ReadOnlySpan<char> key, CancellationToken cancellation)
    {
        if (_known.Find(key) is { } known)
        {
            var age = _time.GetElapsedTime(known.ConfirmedAt);
            var settings = _settings.Current;
            if (known.Epoch == Volatile.Read(ref _epoch) && age <= settings.MaxStale)
            {
                if (age > RefreshAfter && known.TryBeginRefresh())
                {
                    _ = Refresh(known);
                }

                return new(Used(known));
            }

            return Confirm(known, settings, cancellation);
        }

        if (
            !ApiKeyFormat.IsValid(key)
            || (
                _unknown.Find(key) is { } unknown
                && _time.GetElapsedTime(unknown.ConfirmedAt) <= UnknownFor
                && unknown.Epoch == Volatile.Read(ref _epoch)
            )
        )
        {
            return new(Invalid);
        }

        return LookUp(key.ToString(), cancellation);
    }

    public void Dispose() => _store.Changed -= OnChanged;

    private async ValueTask<CallerResult> Confirm(RememberedKey known, ApiKeySettings settings, CancellationToken cancellation)
    {
        try
        {
            var result = await LookUp(known.Key, cancellation);
            if (result.Caller is null)
            {
                _known.Forget(known.Record!.Id);
            }

            return result;
        }
        catch (StoreException) when (_time.GetElapsedTime(known.ConfirmedAt) <= settings.MaxStale)
        {
            return Used(known);
        }
    }

    private async ValueTask<CallerResult> LookUp(string key, CancellationToken cancellation)
    {
        var changes = Volatile.Read(ref _changes);
        var epoch = Volatile.Read(ref _epoch);
        var hash = _settings.Current.HashOf(key);
        var record = _settings.Current.Bootstrap.GetValueOrDefault(hash) ?? await _store.Find(hash, cancellation);
        var known = new RememberedKey(
            key,
            record,
            record is null ? Invalid : CallerResult.Ok(record.ToCaller()),
            _time.GetTimestamp(),
            epoch
        );
        var memory = record is null ? _unknown : _known;
        memory.Set(known);
        // The store may have been read before a change. This check is last: a later change finds the entry and removes it.
        if (changes != Volatile.Read(ref _changes))
        {
            memory.Drop(known);
        }

        if (record is null)
        {
            return Invalid;
        }

        return Used(known);
    }

    private async Task Refresh(RememberedKey known)
    {
        try
        {
            var result = await LookUp(known.Key, CancellationToken.None);
            if (result.Caller is null && known.Record is { } gone)
            {
                _known.Forget(gone.Id);
            }
        }
        catch (StoreException)
        {
            // The remembered key stays valid until MaxStale.
        }
#pragma warning disable CA1031 // This task is not awaited.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            LogRefreshFailed(_logger, failure);
        }
        finally
        {
            known.EndRefresh();
        }
    }

    private CallerResult Used(RememberedKey known)
    {
        var now = _time.GetUtcNow();
        if (known.Record!.IsExpired(now))
        {
            return Invalid;
        }

        _uses.Note(known, now);
        return known.Result;
    }

    private void OnChanged(string what)
    {
        Interlocked.Increment(ref _changes);
        if (what == IApiKeyStore.Missed)
        {
            Interlocked.Increment(ref _epoch);
            _uses.LookAtAll();
        }
        else if (what == IApiKeyStore.Added)
        {
            _unknown.Clear();
        }
        else
        {
            _known.Forget(what);
        }
    }

    private void ForgetAll()
    {
        Interlocked.Increment(ref _changes);
        _known.Clear();
        _unknown.Clear();
    }

    [LoggerMessage(
        1402,
        LogLevel.Error,
        "A cached API key could not be looked up again because of an unexpected error; the next use tries again",
        EventName = "ApiKeyRefreshFailed"
    )]
    private static partial void LogRefreshFailed(ILogger logger, Exception exception);
}
