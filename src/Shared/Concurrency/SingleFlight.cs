using System.Collections.Concurrent;

namespace Bff.Concurrency;

/// <summary>
/// One run of some work per key, however many ask for it while it lasts. A run either belongs to no caller and goes to its end
/// (<see cref="Run"/>, <see cref="TryRun"/>), or ends with the last that waits for it and at a limit (<see cref="Join"/>).
/// </summary>
/// <param name="comparer">Of keys; the usual one when null.</param>
public sealed class SingleFlight<TKey>(IEqualityComparer<TKey>? comparer = null)
    where TKey : notnull
{
    private readonly ConcurrentDictionary<TKey, SharedRun> _runs = new(comparer);

    /// <summary>Whether there is a run for the key.</summary>
    public bool IsRunning(TKey key) => _runs.ContainsKey(key);

    /// <summary>
    /// What the key's run brings, which begins unless there is one. It is not cancelled with those who wait: they wait with
    /// <see cref="Task.WaitAsync(CancellationToken)"/>.
    /// </summary>
    /// <param name="key">Of the work. All work for it has one type of result.</param>
    /// <param name="state">Handed to the work.</param>
    /// <param name="work">Begins before this returns; throws only by its task.</param>
    public Task<T> Run<T, TState>(TKey key, TState state, Func<TKey, TState, Task<T>> work)
    {
        ArgumentNullException.ThrowIfNull(work);
        if (!_runs.TryGetValue(key, out var run))
        {
            var own = new SharedRun<T>();
            run = _runs.GetOrAdd(key, own);
            if (ReferenceEquals(run, own))
            {
                _ = Lead(key, own, work(key, state));
            }
        }

        return ((SharedRun<T>)run).Result;
    }

    /// <summary>The same within a bound.</summary>
    /// <param name="key">As for <see cref="Run"/>.</param>
    /// <param name="most">Runs at once; about as many begin.</param>
    /// <param name="state">As for <see cref="Run"/>.</param>
    /// <param name="work">As for <see cref="Run"/>.</param>
    /// <returns>Null: there are so many runs, and none for the key.</returns>
    public Task<T>? TryRun<T, TState>(TKey key, int most, TState state, Func<TKey, TState, Task<T>> work) =>
        _runs.ContainsKey(key) || _runs.Count < most ? Run(key, state, work) : null;

    /// <summary>Joins the key's run, or registers one that the caller then makes, and ends with <see cref="End"/>.</summary>
    /// <param name="key">Of the work.</param>
    /// <param name="state">Handed to the functions.</param>
    /// <param name="create">Makes a run, whose first waiter is the caller.</param>
    /// <param name="mayJoin">Whether what a run brings is good for the caller. Where it is not, the caller's own run takes its place; those
    /// who wait for the other one still get what it brings.</param>
    /// <param name="run">What the caller waits for.</param>
    /// <returns>True when it is the caller's own.</returns>
    public bool Join<TRun, TState>(TKey key, TState state, Func<TState, TRun> create, Func<TState, TRun, bool> mayJoin, out TRun run)
        where TRun : SharedRun
    {
        ArgumentNullException.ThrowIfNull(create);
        ArgumentNullException.ThrowIfNull(mayJoin);
        while (true)
        {
            if (_runs.TryGetValue(key, out var known))
            {
                run = (TRun)known;
                if (mayJoin(state, run) && run.TryJoin())
                {
                    return false;
                }

                _runs.TryRemove(KeyValuePair.Create(key, known));
            }

            run = create(state);
            if (TryBegin(key, run))
            {
                return true;
            }

            run.Dispose();
        }
    }

    /// <summary>Registers a run that has no waiter yet; false where the key has one.</summary>
    public bool TryBegin(TKey key, SharedRun own) => _runs.TryAdd(key, own);

    /// <summary>Makes a run of what the work brings, and ends it. Never throws.</summary>
    public async Task Lead<T>(TKey key, SharedRun<T> run, Task<T> work)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(work);
        try
        {
            var result = await work;
            End(key, run); // A later caller begins a new run, or finds what this one has kept.
            run.Complete(result);
        }
#pragma warning disable CA1031 // Those who wait get it.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            End(key, run);
            run.Fail(failure);
        }
    }

    /// <summary>No caller joins the run from here on; its limit is released.</summary>
    public void End(TKey key, SharedRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        _runs.TryRemove(KeyValuePair.Create(key, run));
        run.Dispose();
    }
}
