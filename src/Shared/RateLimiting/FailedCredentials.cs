using System.Collections.Concurrent;
using System.Net;
using Bff.Callers;
using Bff.Concurrency;
using Bff.Configuration;
using Bff.State;
using Bff.Tenancy;
using Microsoft.Extensions.Configuration;

namespace Bff.RateLimiting;

/// <summary>Section <c>FailedCredentials</c>: how many invalid credentials one address may send.</summary>
[Settings("FailedCredentials")]
internal sealed class FailedCredentialSettings
{
    /// <summary>Number of invalid credentials that one client address may send per minute on average.</summary>
    [Setting(Min = 1, Max = BucketPolicy.Max)]
    public int PerMinute { get; init; } = 30;

    /// <summary>Number of invalid credentials that one client address may send in a burst.</summary>
    [Setting(Min = 1, Max = BucketPolicy.Max)]
    public int Burst { get; init; } = 60;

    /// <summary>Both settings as a bucket.</summary>
    public BucketPolicy Bucket
    {
        get => field ??= new("failed-credentials", Burst, PerMinute);
    }

    public static FailedCredentialSettings Parse(IConfiguration configuration, ConfigurationMistakes mistakes) =>
        mistakes.Read<FailedCredentialSettings>(configuration);
}

/// <summary>
/// Limits failed credentials with two buckets per address: one of this instance, which stops a flood at once, and one of the store, which
/// all instances share. While the store is away, the first alone decides. An address whose bucket is empty waits for the next token. Then
/// one credential is checked, not all that arrived meanwhile.
/// </summary>
internal sealed class FailedCredentials(
    ILimitStore store,
    LocalLimits local,
    Reloadable<FailedCredentialSettings> settings,
    TimeProvider time
) : IFailedCredentials
{
    private const int MaxWaiting = 100_000;
    private readonly ConcurrentDictionary<UInt128, Deadline> _waitUntil = new();
    private int _waiting;

    public bool IsAnyWaiting => Volatile.Read(ref _waiting) > 0;

    public TimeSpan? Wait(IPAddress? address)
    {
        var key = BucketKeys.Of(address);
        if (!_waitUntil.TryGetValue(key, out var until))
        {
            return null;
        }

        if (until.Left(time) is var left && left > TimeSpan.Zero)
        {
            return left;
        }

        var policy = settings.Current.Bucket;
        if (Take(key, policy, 0).Levels[0].Units >= 2 * BucketPolicy.UnitsPerToken)
        {
            Forget(new(key, until));
            return null;
        }

        // The first request passes; the others wait for the next token.
        var next = Until(policy, 0);
        return _waitUntil.TryUpdate(key, Deadline.In(next, time), until) ? null : next;
    }

    public void Count(IPAddress? address)
    {
        var (key, policy) = (BucketKeys.Of(address), settings.Current.Bucket);
        Judge(key, policy, Take(key, policy, 1));
        if (!store.IsAway)
        {
            _ = Share(key, policy);
        }
    }

    /// <summary>Takes tokens from this instance's bucket. The embedded store answers synchronously.</summary>
    private StoreAnswer Take(UInt128 key, BucketPolicy policy, long tokens)
    {
        var answer = local.Store.Take(BucketKeys.Of(key), [Demand(policy, tokens)]);
        return answer.IsCompletedSuccessfully ? answer.Result : throw new InvalidOperationException("The embedded store answers at once.");
    }

    /// <summary>
    /// Counts in the shared store after the answer. This address's next credential then meets what other instances have counted.
    /// </summary>
    private async Task Share(UInt128 key, BucketPolicy policy)
    {
        try
        {
            Judge(key, policy, await store.Take(BucketKeys.Of(key), [Demand(policy, 1)]));
        }
        catch (StoreException)
        {
            // This instance has already counted it.
        }
    }

    private void Judge(UInt128 key, BucketPolicy policy, in StoreAnswer answer)
    {
        var units = answer.Levels[0].Units;
        if (units < BucketPolicy.UnitsPerToken)
        {
            Hold(key, Deadline.In(Until(policy, units), time));
        }
    }

    private void Hold(UInt128 key, Deadline until)
    {
        if (_waitUntil.TryGetValue(key, out var known))
        {
            _waitUntil.TryUpdate(key, known.Timestamp > until.Timestamp ? known : until, known);
            return;
        }

        if (Volatile.Read(ref _waiting) >= MaxWaiting)
        {
            var now = time.GetTimestamp();
            foreach (var over in _waitUntil.Where(w => w.Value.HasPassed(now)))
            {
                Forget(over);
            }
        }

        if (Volatile.Read(ref _waiting) < MaxWaiting && _waitUntil.TryAdd(key, until))
        {
            Interlocked.Increment(ref _waiting);
        }
    }

    private void Forget(KeyValuePair<UInt128, Deadline> held)
    {
        if (_waitUntil.TryRemove(held))
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private static LevelDemand Demand(BucketPolicy policy, long tokens) => new("failed", policy, tokens, tokens);

    /// <summary>Returns the time until there is a token.</summary>
    private static TimeSpan Until(BucketPolicy policy, long units) =>
        TimeSpan.FromMicroseconds(policy.MicrosUntil(BucketPolicy.UnitsPerToken, units));
}
