using Bff.Callers.Clients;
using Bff.Callers.Providers;
using Bff.Concurrency;
using Microsoft.Extensions.Logging;

namespace Bff.Callers.Keys;

/// <summary>
/// The signing keys, kept fresh in the background by one loop:
/// 1. read the keys every <c>Authentication:KeyRefresh</c>, discovery with them; 2. at once when a token names a key that is not known, but
/// never within two seconds of the last fetch, however many such tokens come; 3. what cannot be read changes nothing, and is tried again
/// soon.
/// </summary>
/// <param name="settings">Of the provider.</param>
/// <param name="keyRefresh"><c>Authentication:KeyRefresh</c>.</param>
/// <param name="admit">Throws where the provider may not have these issuers.</param>
/// <param name="clients">For the authority.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where failures go.</param>
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

    // The end of a fetch that began too early, the gap, and the next fetch.
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromSeconds(5); // A lost fetch must not cost a withdrawn key another KeyRefresh.

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

    /// <summary>What is good now.</summary>
    public SigningKeySet Current => Volatile.Read(ref _current);

    /// <summary>False until the authority's keys have been read once; configured keys need no authority.</summary>
    public bool IsReady => settings.MetadataAddress is null || Volatile.Read(ref _everRead);

    /// <summary>Asks for a fetch without waiting for it: a signature did not verify, so a key may have been replaced in place.</summary>
    public void Suspect()
    {
        if (settings.MetadataAddress is not null)
        {
            _wanted.Set();
        }
    }

    /// <summary>
    /// Asks for a fetch and waits until the keys change or it ends, five seconds at most; at once when enough others wait already. True
    /// when the keys have changed. A fetch that is under way does not count: it may have read what was published before the key.
    /// </summary>
    /// <param name="seen">The keys that did not suffice.</param>
    /// <param name="cancellation">The client has gone.</param>
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
                    // Judged by what is known.
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
    /// <exception cref="ContradictoryProviderException">What the authority has first said cannot be: the host must stop.</exception>
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
            // The host stops.
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
            // With each regular round, but not with each one that a token asks for: a flood would double what the authority has to bear.
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
            throw; // Later a provider must not be able to stop a host that serves others' tokens: then the last good issuers stay.
        }
#pragma warning disable CA1031 // Whatever an authority answers, the loop goes on.
        catch (Exception failed)
#pragma warning restore CA1031
        {
            _discoveryRead = time.TimestampIn(-keyRefresh); // The keys may have moved.
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
