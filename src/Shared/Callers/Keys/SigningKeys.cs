using Bff.Callers.Clients;
using Bff.Callers.Providers;
using Bff.Concurrency;
using Microsoft.Extensions.Logging;

namespace Bff.Callers.Keys;

/// <summary>
/// Keeps a provider's signing keys fresh in one background loop. 1. Read the keys and the discovery document every
/// <c>Authentication:KeyRefresh</c>. 2. Read them at once when a token names an unknown key, but never within two seconds of the last
/// fetch, however many such tokens come. 3. After a failed read, keep the known keys and retry soon.
/// </summary>
/// <param name="settings">The provider's settings.</param>
/// <param name="keyRefresh"><c>Authentication:KeyRefresh</c>.</param>
/// <param name="admit">Throws when the provider must not have these issuers.</param>
/// <param name="clients">Creates clients for the authority.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Logs failures.</param>
internal sealed partial class SigningKeys(
    ProviderSettings settings,
    TimeSpan keyRefresh,
    Action<SigningKeys, IssuerRule> admit,
    IHttpClientFactory clients,
    TimeProvider time,
    ILogger<SigningKeys> logger
) : IDisposable
{
    private const int MaxWaiting = 100;
    private static readonly TimeSpan MinGap = TimeSpan.FromSeconds(2);

    // Covers the rest of a fetch that began too early, the gap, and the next fetch.
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(5); // A failed fetch must not keep a withdrawn key for longer.

    private readonly AuthorityDocuments _authority = new(clients, settings);
    private readonly Signal _wanted = new();
    private readonly BackgroundLoop _loop = new(
        settings is BearerSchemeSettings ? "signing-keys" : "signing-keys of " + settings.Path,
        logger
    );
    private AuthorityDocuments.Discovery? _discovery;
    private long _discoveryRead;
    private SigningKeySet _current = new(settings.Secrets, settings.Issuers, settings.AllowedTenants);
    private TaskCompletionSource _nextFetch = NewSignal();
    private TaskCompletionSource _nextChange = NewSignal();
    private bool _everRead;
    private int _waiting;

    /// <summary>The currently valid keys.</summary>
    public SigningKeySet Current => Volatile.Read(ref _current);

    /// <summary>Whether the authority's keys have been read once. Always true with configured keys only, which need no authority.</summary>
    public bool IsReady => settings.MetadataAddress is null || Volatile.Read(ref _everRead);

    /// <summary>Requests a fetch without waiting. A signature did not verify, so a key may have been replaced under the same id.</summary>
    public void Suspect()
    {
        if (settings.MetadataAddress is not null)
        {
            _wanted.Set();
        }
    }

    /// <summary>
    /// Requests a fetch and waits until the keys change or the fetch ends, for at most five seconds. Does not wait when enough others
    /// already do. Returns true when the keys have changed. A fetch in progress does not count, because it may have read what was published
    /// before the key.
    /// </summary>
    /// <param name="seen">The keys in which the needed key was missing.</param>
    /// <param name="cancellation">Cancelled when the client disconnects.</param>
    public async ValueTask<bool> WaitForNewer(SigningKeySet seen, CancellationToken cancellation)
    {
        if (settings.MetadataAddress is null)
        {
            return false;
        }

        var (fetch, change) = (Volatile.Read(ref _nextFetch).Task, Volatile.Read(ref _nextChange).Task);
        if (ReferenceEquals(seen, Current))
        {
            Suspect();
            if (Interlocked.Increment(ref _waiting) <= MaxWaiting)
            {
                try
                {
                    await Task.WhenAny(fetch, change).WaitAsync(MaxWait, time, cancellation);
                }
                catch (TimeoutException)
                {
                    // The known keys decide.
                }
                finally
                {
                    Interlocked.Decrement(ref _waiting);
                }
            }
            else
            {
                Interlocked.Decrement(ref _waiting);
            }
        }

        return !ReferenceEquals(seen, Current);
    }

    /// <inheritdoc />
    public void Dispose() => _wanted.Dispose();

    /// <summary>Keeps the keys fresh until the host stops.</summary>
    /// <exception cref="ContradictoryProviderException">The authority's first document contradicts the settings or another provider. The
    /// host must stop.</exception>
    public async Task Run(CancellationToken stoppingToken)
    {
        if (settings.MetadataAddress is null)
        {
            return;
        }

        try
        {
            while (true)
            {
                var isRead = await Fetch(stoppingToken);
                await Task.Delay(MinGap, time, stoppingToken);
                var due = isRead || keyRefresh < RetryDelay ? keyRefresh : RetryDelay;
                await WantedOrDue(Volatile.Read(ref _everRead) ? due - MinGap : TimeSpan.Zero, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host is stopping.
        }
    }

    private async Task WantedOrDue(TimeSpan interval, CancellationToken stopping)
    {
        if (interval <= TimeSpan.Zero)
        {
            _wanted.Clear();
            return;
        }

        await _wanted.Wait(interval, time, stopping);
    }

    private async Task<bool> Fetch(CancellationToken stopping)
    {
        var fetched = Interlocked.Exchange(ref _nextFetch, NewSignal()); // Requests from here on wait for the next fetch.
        try
        {
            // Discovery is read in each regular round, but not when a token requests a fetch: a flood would double the authority's load.
            if (_discovery is null || time.GetElapsedTime(_discoveryRead) >= keyRefresh)
            {
                _discovery = await _authority.ReadDiscovery(stopping);
                _discoveryRead = time.GetTimestamp();
            }

            Take(await _authority.ReadKeys(_discovery.KeysAddress, stopping), _discovery.Issuer);
            _loop.Succeeded();
            return true;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            throw;
        }
        catch (ContradictoryProviderException) when (!Volatile.Read(ref _everRead))
        {
            throw; // Later a provider must not be able to stop a host that serves others' tokens. The last good issuers then stay.
        }
#pragma warning disable CA1031 // The loop continues whatever an authority responds.
        catch (Exception failed)
#pragma warning restore CA1031
        {
            _discoveryRead = time.TimestampIn(-keyRefresh); // The address of the keys may have changed.
            _loop.Failed(failed);
            LogUnreadable(logger, settings.Path, failed.GetType().Name, Current.Count);
            return false;
        }
        finally
        {
            fetched.TrySetResult();
        }
    }

    private void Take(List<VerificationKey> published, string? issuer)
    {
        var next = new SigningKeySet(
            settings.Secrets.Concat(published),
            issuer is null ? settings.Issuers : settings.Issuers.Append(issuer),
            settings.AllowedTenants
        );
        admit(this, next.Issuers);
        if (!next.IsSameAs(_current))
        {
            LogChanged(logger, settings.Path, next.Count);
            Volatile.Write(ref _current, next);
            Interlocked.Exchange(ref _nextChange, NewSignal()).TrySetResult();
        }

        Volatile.Write(ref _everRead, true);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(
        1412,
        LogLevel.Warning,
        "The signing keys of {Provider} could not be read ({Reason}); {Known} known key(s) stay in use",
        EventName = "SigningKeysUnreadable"
    )]
    private static partial void LogUnreadable(ILogger logger, string provider, string reason, int known);

    [LoggerMessage(
        1413,
        LogLevel.Information,
        "The signing keys of {Provider} changed; {Count} key(s) are in use",
        EventName = "SigningKeysChanged"
    )]
    private static partial void LogChanged(ILogger logger, string provider, int count);
}
