using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.FSharp.Core;
using Xunit.Sdk;

namespace Bff.Shared.Tests.Models;

/// <summary>One step of a run.</summary>
/// <param name="Act">What happens.</param>
/// <param name="Who">Which instance.</param>
/// <param name="What">Which record, as the act understands it.</param>
/// <param name="Much">How much, as the act understands it.</param>
internal readonly record struct Step<TAct>(TAct Act, int Who, int What, int Much)
    where TAct : struct, Enum
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Act}({Who},{What},{Much})");
}

/// <summary>
/// Runs a store through sequences of steps, faults among them, and asks after each what must be true. The sequences are the same each time
/// unless
/// <c>BFF_MODEL_SEED</c> says otherwise; <c>BFF_MODEL_RUNS</c> makes more of them. What fails is made shorter until every step of it is
/// needed.
/// </summary>
internal static class ModelCheck
{
    public const int Instances = 2;
    public const int Records = 3;
    public const int Most = 12;
    private const ulong Seed = 2026;

    /// <param name="runs">How many, unless the environment says more.</param>
    /// <param name="acts">How often each comes, compared with the others.</param>
    /// <param name="holds">Throws when something that must be true is not.</param>
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
            TaskCreationOptions.LongRunning, // It blocks, and the pool's threads are what it waits for.
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

    /// <summary>Without one half, one quarter and so on, down to without one step.</summary>
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

/// <summary>A store and what must be true of it, from the first step to the last.</summary>
internal interface IRun<TAct> : IAsyncDisposable
    where TAct : struct, Enum
{
    Task Begin();

    Task Take(Step<TAct> step);

    /// <summary>After the last step, with every fault over: what must come true in the end.</summary>
    Task End();
}

/// <summary>What goes wrong between an instance and its store.</summary>
internal enum Fault
{
    /// <summary>The store refuses the command (ACL); nothing has happened.</summary>
    Refused,

    /// <summary>The command does not arrive in time, or at all.</summary>
    Lost,

    /// <summary>The command does what it should; its answer does not arrive in time.</summary>
    Unanswered,
}

/// <summary>A fault that is going to happen: at the next command, or at the next but one, and so on.</summary>
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

    /// <summary>Ends it.</summary>
    /// <returns>Whether it happened.</returns>
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

    /// <summary>What happens to the command that comes now.</summary>
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
