using Bff.State;
using StackExchange.Redis;

namespace Bff.RateLimiting;

/// <summary>
/// Asks Redis for several requests in one call.
/// 1. While no call is under way, a request is sent at once.
/// 2. Otherwise it is sent with all requests that arrive before the thread pool has done its queued work, so that none waits for time to
/// pass.
/// 3. If Redis is a cluster, each request is sent alone, because the keys of one call must be on one server.
/// Each request gets its own answer or error: none fails because of another's bucket.
/// </summary>
/// <param name="redis">The Redis to ask.</param>
/// <param name="prefix">Prefix of every key, up to the hash tag.</param>
/// <param name="defer">Runs a work item later. Null: the thread pool runs it after all work that is already queued.</param>
internal sealed class LimitBatches(RedisState redis, string prefix, Action<IThreadPoolWorkItem>? defer = null) : IThreadPoolWorkItem
{
    /// <summary>Largest number of requests in one call. Redis does nothing else while it decides them.</summary>
    private const int Most = 64;

    private const int ArgumentsPerLevel = 8;

    private readonly Action<IThreadPoolWorkItem> _defer =
        defer ?? (static item => ThreadPool.UnsafeQueueUserWorkItem(item, preferLocal: false));
    private readonly Lock _lock = new();
    private readonly List<Asked> _waiting = new(Most);
    private int _underWay;
    private bool _isDue;
    private volatile bool _refusesSeveral;

    private sealed class Asked(string tag, LevelDemand[] levels, long since)
        : TaskCompletionSource<StoreAnswer>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public string Tag => tag;

        public LevelDemand[] Levels => levels;

        public long Since => since;
    }

    /// <summary>Takes tokens as <see cref="ILimitStore.Take"/> does.</summary>
    public Task<StoreAnswer> Take(string tag, LevelDemand[] levels)
    {
        var asked = new Asked(tag, levels, redis.Now);
        if (_refusesSeveral || !redis.IsOneServer)
        {
            Begin([asked]);
            return asked.Task;
        }

        Asked[]? batch = null;
        var becomesDue = false;
        lock (_lock)
        {
            _waiting.Add(asked);
            if (Volatile.Read(ref _underWay) == 0 || _waiting.Count == Most)
            {
                batch = TakeWaiting();
            }
            else
            {
                becomesDue = !_isDue;
                _isDue = true;
            }
        }

        if (batch is not null)
        {
            Begin(batch);
        }
        else if (becomesDue)
        {
            _defer(this);
        }

        return asked.Task;
    }

    /// <summary>Sends the requests that have arrived meanwhile.</summary>
    public void Execute()
    {
        Asked[] batch;
        lock (_lock)
        {
            _isDue = false;
            if (_waiting.Count == 0)
            {
                return;
            }

            batch = TakeWaiting();
        }

        Begin(batch);
    }

    public RedisKey OverageKey(string tag) => string.Concat(prefix, tag, "}:overage");

    private Asked[] TakeWaiting()
    {
        Asked[] batch = [.. _waiting];
        _waiting.Clear();
        return batch;
    }

    private void Begin(Asked[] batch)
    {
        if (ExecutionContext.IsFlowSuppressed())
        {
            _ = Send(batch);
            return;
        }

        // The call serves several requests, so it carries no request's execution context.
        using (ExecutionContext.SuppressFlow())
        {
            _ = Send(batch);
        }
    }

    /// <summary>Sends a batch. Never throws.</summary>
    private async Task Send(Asked[] batch)
    {
        Interlocked.Increment(ref _underWay);
        try
        {
            var answer = await redis.EvaluateForMany(TokenBucketScript.Take, KeysOf(batch), ArgumentsOf(batch), batch[0].Since);
            Settle(batch, (RedisValue[])answer!);
        }
        catch (StoreRefusedException refused) when (batch.Length > 1)
        {
            // Nothing was done. A cluster behind one address refuses keys of several servers, and a user may lack the right to one key.
            _refusesSeveral |= refused.InnerException?.Message.StartsWith("CROSSSLOT", StringComparison.Ordinal) == true;
            await Task.WhenAll(batch.Select(asked => Send([asked])));
        }
#pragma warning disable CA1031 // The waiting requests receive it.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            foreach (var asked in batch)
            {
                asked.TrySetException(failure);
            }
        }
        finally
        {
            Interlocked.Decrement(ref _underWay);
        }
    }

    private RedisKey[] KeysOf(Asked[] batch)
    {
        var keys = new RedisKey[LevelsOf(batch) + batch.Length];
        var at = 0;
        foreach (var asked in batch)
        {
            foreach (ref readonly var level in asked.Levels.AsSpan())
            {
                keys[at++] = string.Concat(prefix, asked.Tag, "}:", level.Key);
            }

            keys[at++] = OverageKey(asked.Tag);
        }

        return keys;
    }

    private static RedisValue[] ArgumentsOf(Asked[] batch)
    {
        var arguments = new RedisValue[(LevelsOf(batch) * ArgumentsPerLevel) + batch.Length];
        var at = 0;
        foreach (var asked in batch)
        {
            arguments[at++] = asked.Levels.Length;
            foreach (ref readonly var level in asked.Levels.AsSpan())
            {
                arguments[at] = level.Policy.Burst;
                arguments[at + 1] = level.Policy.PerMinute;
                arguments[at + 2] = level.Policy.PerDay ?? -1;
                arguments[at + 3] = level.Policy.Ceiling ?? -1;
                arguments[at + 4] = level.Need;
                arguments[at + 5] = level.Want;
                arguments[at + 6] = level.Back;
                arguments[at + 7] = level.BackDay;
                at += ArgumentsPerLevel;
            }
        }

        return arguments;
    }

    private static int LevelsOf(Asked[] batch)
    {
        var levels = 0;
        foreach (var asked in batch)
        {
            levels += asked.Levels.Length;
        }

        return levels;
    }

    private void Settle(Asked[] batch, RedisValue[] answer)
    {
        var now = (long)answer[0];
        var at = 1;
        foreach (var asked in batch)
        {
            var admitted = answer[at++];
            if (!admitted.IsInteger)
            {
                asked.TrySetException(redis.Refused(admitted.ToString()));
                continue;
            }

            var states = new LevelState[asked.Levels.Length];
            for (var i = 0; i < states.Length; i++)
            {
                states[i] = new((long)answer[at], (long)answer[at + 1], (long)answer[at + 2]);
                at += 3;
            }

            asked.TrySetResult(new(now, (long)admitted == 1, states));
        }
    }
}
