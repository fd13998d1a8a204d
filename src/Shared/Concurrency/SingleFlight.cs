using System.Collections.Concurrent;

namespace Bff.Concurrency;

/// <summary>
/// Allows one run of some work per key, however many callers ask for it at the same time. A run either belongs to no caller and always
/// completes (<see cref="Run"/>, <see cref="TryRun"/>), or ends when its last waiter leaves or at a limit (<see cref="Join"/>).
/// </summary>
/// <param name="comparer">The comparer of keys; null for the default.</param>
public sealed class SingleFlight<TKey>(IEqualityComparer<TKey>? comparer = null)
    where TKey : notnull
{
    private readonly ConcurrentDictionary<TKey, SharedRun> _runs = new(comparer);

    /// <summary>Whether the key has a run.</summary>
    public bool IsRunning(TKey key) => _runs.ContainsKey(key);

    /// <summary>
    /// Returns the result of the key's run, and starts a run if there is none. A caller that stops waiting does not cancel the run: callers
    /// wait with <see cref="Task.WaitAsync(CancellationToken)"/>.
    /// </summary>
    /// <param name="key">The key of the work. All work for one key has the same type of result.</param>
    /// <param name="state">Passed to the work.</param>
    /// <param name="work">Starts before this method returns. It must throw only through its task.</param>
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

    /// <summary>Does the same with a limit on concurrent runs.</summary>
    /// <param name="key">As for <see cref="Run"/>.</param>
    /// <param name="most">Approximate maximum number of concurrent runs.</param>
    /// <param name="state">As for <see cref="Run"/>.</param>
    /// <param name="work">As for <see cref="Run"/>.</param>
    /// <returns>The result; null when the limit is reached and the key has no run.</returns>
    public Task<T>? TryRun<T, TState>(TKey key, int most, TState state, Func<TKey, TState, Task<T>> work) =>
        _runs.ContainsKey(key) || _runs.Count < most ? Run(key, state, work) : null;

    /// <summary>Joins the key's run, or registers a new run, which the caller must then make and end with <see cref="End"/>.</summary>
    /// <param name="key">The key of the work.</param>
    /// <param name="state">Passed to the functions.</param>
    /// <param name="create">Creates a run whose first waiter is the caller.</param>
    /// <param name="mayJoin">Whether the result of a run is valid for the caller. If not, the caller's own run replaces it, and those who
    /// wait for the other run still get its result.</param>
    /// <param name="run">The run to wait for.</param>
    /// <returns>Whether the run is the caller's own.</returns>
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

    /// <summary>Registers a run; false when the key already has one.</summary>
    public bool TryBegin(TKey key, SharedRun own) => _runs.TryAdd(key, own);

    /// <summary>Completes a run with the result of the work, and ends it. Never throws.</summary>
    public async Task Lead<T>(TKey key, SharedRun<T> run, Task<T> work)
    {
        ArgumentNullException.ThrowIfNull(run);
        ArgumentNullException.ThrowIfNull(work);
        try
        {
            var result = await work;
            End(key, run); // A later caller starts a new run, or finds what this one has kept.
            run.Complete(result);
        }
#pragma warning disable CA1031 // The waiters get the exception.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            End(key, run);
            run.Fail(failure);
        }
    }

    /// <summary>Ends a run: no caller can join it any more, and its limit is released.</summary>
    public void End(TKey key, SharedRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        _runs.TryRemove(KeyValuePair.Create(key, run));
        run.Dispose();
    }
}
