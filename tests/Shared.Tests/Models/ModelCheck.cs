using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;
using Xunit.Sdk;

namespace Bff.Shared.Tests.Models;

/// <summary>One step of a run.</summary>
/// <param name="Act">The action.</param>
/// <param name="Who">Index of the instance.</param>
/// <param name="What">Index of the record, as the action interprets it.</param>
/// <param name="Much">Amount, as the action interprets it.</param>
internal readonly record struct Step<TAct>(TAct Act, int Who, int What, int Much)
    where TAct : struct, Enum
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Act}({Who},{What},{Much})");
}

/// <summary>
/// Runs a store through random sequences of steps, including faults, and checks its invariants after each step. The sequences are the same
/// in every run unless <c>BFF_MODEL_SEED</c> is set. <c>BFF_MODEL_RUNS</c> sets the number of sequences. A failing sequence is shortened
/// until every step in it is needed.
/// </summary>
internal static class ModelCheck
{
    public const int Instances = 2;
    public const int Records = 3;
    public const int Most = 12;
    private const ulong Seed = 2026;

    /// <param name="runs">Number of sequences, unless <c>BFF_MODEL_RUNS</c> is set.</param>
    /// <param name="acts">The actions and their relative frequencies.</param>
    /// <param name="begin">Creates the run of a sequence, which throws when an invariant does not hold.</param>
    public static Task Run<TAct>(int runs, (int Weight, TAct Act)[] acts, Func<Step<TAct>[], IRun<TAct>> begin)
        where TAct : struct, Enum
    {
        var seed = Number("BFF_MODEL_SEED") ?? Seed;
        var config = Config
            .QuickThrowOnFailure.WithMaxTest((int)(Number("BFF_MODEL_RUNS") ?? (ulong)runs))
            .WithStartSize(6)
            .WithEndSize(40)
            .WithReplay(FSharpOption<Replay>.Some(new Replay(new Rnd(seed), FSharpOption<int>.None)));
        return Task.Factory.StartNew(
            () => Check.One(config, Prop.ForAll(Sequences(acts), steps => Holds(steps, begin(steps)).GetAwaiter().GetResult())),
            default,
            TaskCreationOptions.LongRunning, // The check blocks its thread while it waits for work of the thread pool.
            TaskScheduler.Default
        );
    }

    private static async Task<bool> Holds<TAct>(Step<TAct>[] steps, IRun<TAct> run)
        where TAct : struct, Enum
    {
        var at = -1;
        try
        {
            await run.Begin();
            for (at = 0; at < steps.Length; at++)
            {
                await run.Take(steps[at]);
            }

            await run.End();
            return true;
        }
        catch (Exception broken)
        {
            throw new XunitException(
                $"At {(at < 0 ? "the beginning" : at < steps.Length ? $"step {at + 1}" : "the end")} of {string.Join(' ', steps)}: {broken.Message}",
                broken
            );
        }
        finally
        {
            await run.DisposeAsync();
        }
    }

    private static Arbitrary<Step<TAct>[]> Sequences<TAct>((int Weight, TAct Act)[] acts)
        where TAct : struct, Enum
    {
        var step =
            from act in Gen.Frequency(acts.Select(a => (a.Weight, Gen.Constant(a.Act))).ToArray())
            from who in Gen.Choose(0, Instances - 1)
            from what in Gen.Choose(0, Records - 1)
            from much in Gen.Choose(0, Most - 1)
            select new Step<TAct>(act, who, what, much);
        return Arb.From(Gen.ArrayOf(step), Shorter);
    }

    /// <summary>Returns the sequence without one half, one quarter and so on, down to without a single step.</summary>
    private static IEnumerable<T[]> Shorter<T>(T[] steps)
    {
        for (var size = (steps.Length + 1) / 2; size > 0; size = size == 1 ? 0 : (size + 1) / 2)
        {
            for (var from = 0; from < steps.Length; from += size)
            {
                yield return [.. steps[..from], .. steps[Math.Min(from + size, steps.Length)..]];
            }
        }
    }

    private static ulong? Number(string variable) =>
        ulong.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : null;
}

/// <summary>A run of a store with its invariants, from the first step to the last.</summary>
internal interface IRun<TAct> : IAsyncDisposable
    where TAct : struct, Enum
{
    Task Begin();

    Task Take(Step<TAct> step);

    /// <summary>Checks what must hold in the end, after the last step and without faults.</summary>
    Task End();
}

/// <summary>Faults between an instance and its store.</summary>
internal enum Fault
{
    /// <summary>The store refuses the command (ACL) without effect.</summary>
    Refused,

    /// <summary>The command does not arrive, or not in time.</summary>
    Lost,

    /// <summary>The command takes effect, but its answer does not arrive in time.</summary>
    Unanswered,
}

/// <summary>A planned fault that happens at the next command, or after a number of skipped commands.</summary>
internal sealed class FaultPlan
{
    private readonly Lock _lock = new();
    private int _skip;
    private Fault? _next;
    private bool _hasHappened;

    public void Arm(Fault fault, int skip)
    {
        lock (_lock)
        {
            (_next, _skip, _hasHappened) = (fault, skip, false);
        }
    }

    /// <summary>Cancels the planned fault.</summary>
    /// <returns>Whether the fault has happened.</returns>
    public bool Disarm()
    {
        lock (_lock)
        {
            _next = null;
            var happened = _hasHappened;
            _hasHappened = false;
            return happened;
        }
    }

    /// <summary>Returns the fault of the current command, or null.</summary>
    public Fault? Take()
    {
        lock (_lock)
        {
            if (_next is not { } fault || _skip-- > 0)
            {
                return null;
            }

            _next = null;
            _hasHappened = true;
            return fault;
        }
    }
}
