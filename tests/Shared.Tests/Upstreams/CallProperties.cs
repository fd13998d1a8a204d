using System.Net;
using Bff.Concurrency;
using Bff.TestKit;
using Bff.Upstreams;
using FsCheck;
using FsCheck.Fluent;

namespace Bff.Shared.Tests.Upstreams;

/// <summary>
/// Property tests of the table "What an end means" of docs/life-of-a-request.md. For random policies and random sequences of a service's
/// behaviours, pauses and callers that leave, they check what the caller gets and what breaker, budget and bulkhead have counted.
/// </summary>
public sealed class CallProperties
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    private enum Does
    {
        Answers,
        AnswersLate,
        Fails,
        FailsLate,
        Breaks,
        Hangs,
    }

    private enum Asks
    {
        Read,
        Write,
        KeyedWrite,
    }

    private enum Gets
    {
        Answer,
        Failure,
        Failed,
        Timeout,
        Unavailable,
        Nothing,
    }

    private sealed record Policy(int Retries, bool IsHedged, int MinimumThroughput);

    private sealed record Step(Asks Asks, Does[] Service, bool IsShort, int? LeavesAfterMs, bool AfterABreak);

    [Fact]
    public void Every_sequence_of_calls_ends_as_the_table_says()
    {
        var policies =
            from retries in Gen.Choose(0, 2)
            from hedged in Gen.Elements(true, false)
            from minimum in Gen.Choose(2, 4)
            select new Policy(retries, hedged, minimum);
        var does = Gen.Frequency(
            (4, Gen.Constant(Does.Answers)),
            (1, Gen.Constant(Does.AnswersLate)),
            (3, Gen.Constant(Does.Fails)),
            (1, Gen.Constant(Does.FailsLate)),
            (1, Gen.Constant(Does.Breaks)),
            (3, Gen.Constant(Does.Hangs))
        );
        var steps =
            from asks in Gen.Frequency((3, Gen.Constant(Asks.Read)), (1, Gen.Constant(Asks.Write)), (1, Gen.Constant(Asks.KeyedWrite)))
            from service in Gen.ListOf(does, 4)
            from isShort in Gen.Elements(true, false)
            from leaves in Gen.Frequency((6, Gen.Constant<int?>(null)), (1, Gen.Constant<int?>(1)), (1, Gen.Constant<int?>(800)))
            from pause in Gen.Frequency((3, Gen.Constant(false)), (1, Gen.Constant(true)))
            select new Step(asks, service.ToArray(), isShort, leaves, pause);
        var runs =
            from policy in policies
            from count in Gen.Choose(1, 14)
            from sequence in Gen.ListOf(steps, count)
            select (policy, sequence: sequence.ToArray());

        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(500),
            Prop.ForAll(runs.ToArbitrary(), run => Task.Run(() => Holds(run.policy, run.sequence)).GetAwaiter().GetResult())
        ); // Task.Run leaves the synchronization context, so that continuations run at once.
    }

    private static async Task<bool> Holds(Policy policy, Step[] steps)
    {
        var clock = new ManualTimeProvider();
        var budget = new RetryBudget(new ManualTimeProvider()); // Its clock never moves, so nothing leaves the window.
        var network = new ScriptedNetwork(clock);
        using var pool = new UpstreamPool(
            new()
            {
                Name = "service",
                Addresses = new([new Uri("http://service/")]),
                Timeout = Timeout,
                Retries = policy.Retries,
                HedgeAfter = policy.IsHedged ? TimeSpan.FromMilliseconds(100) : null,
                Breaker = new()
                {
                    MinimumThroughput = policy.MinimumThroughput,
                    FailureRatio = 0.5,
                    SamplingDuration = TimeSpan.FromHours(1),
                    BreakDuration = TimeSpan.FromSeconds(5),
                },
            },
            "main",
            [new Uri("http://service/")],
            new(clock),
            new HttpMessageInvoker(network),
            budget
        );
        var table = new Table(policy);
        foreach (var step in steps)
        {
            if (step.AfterABreak)
            {
                clock.Advance(TimeSpan.FromSeconds(6));
                table.BreakIsOver();
            }

            network.Begin(step.Service);
            var got = await Send(pool, step, clock);
            var expected = table.Expect(step);
            var counted = (got, network.Started, pool.Breaker.State, budget.Taken, pool.Places);
            if (counted != (expected, table.Started, table.State, table.Taken, 0L))
            {
                throw new InvalidOperationException(
                    $"{step} [{string.Join(", ", step.Service)}]: {counted}, not {(expected, table.Started, table.State, table.Taken, 0L)}"
                );
            }
        }

        return true;
    }

    private static async Task<Gets> Send(UpstreamPool pool, Step step, ManualTimeProvider clock)
    {
        using var gone = new CancellationTokenSource();
        using var leaving = step.LeavesAfterMs is { } after
            ? clock.CreateTimer(
                static gone => ((CancellationTokenSource)gone!).Cancel(),
                gone,
                TimeSpan.FromMilliseconds(after),
                System.Threading.Timeout.InfiniteTimeSpan
            )
            : null;
        var request = new HttpRequestMessage(step.Asks == Asks.Read ? HttpMethod.Get : HttpMethod.Post, new Uri("path", UriKind.Relative));
        if (step.Asks == Asks.KeyedWrite)
        {
            request.Headers.Add("Idempotency-Key", "key");
        }

        var within = step.IsShort ? Timeout : 5 * Timeout;
        var call = new PooledCall
        {
            Request = request,
            Body = BodyUse.Decoded,
            Deadline = Deadline.In(within, clock),
        };
        var pending = pool.Send(call, gone.Token).AsTask();
        while (!pending.IsCompleted)
        {
            if (clock.NextDue is { } due)
            {
                clock.Advance(due);
            }
            else
            {
                await Task.Yield();
            }
        }

        try
        {
            using var sent = await pending;
            return sent.Response is { } response
                ? ((int)response.StatusCode < 500 ? Gets.Answer : Gets.Failure)
                : sent.Outcome switch
                {
                    UpstreamOutcome.Timeout => Gets.Timeout,
                    UpstreamOutcome.Unavailable => Gets.Unavailable,
                    _ => Gets.Failed,
                };
        }
        catch (OperationCanceledException)
        {
            return Gets.Nothing;
        }
    }

    /// <summary>A service that answers each attempt with the next behaviour of the script.</summary>
    private sealed class ScriptedNetwork(ManualTimeProvider clock) : HttpMessageHandler
    {
        private Does[] _script = [];

        public int Started { get; private set; }

        public void Begin(Does[] script) => (_script, Started) = (script, 0);

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var does = _script[Started++];
            if (DelayOf(does) is { } delay)
            {
                var over = new TaskCompletionSource(); // Continues synchronously, on the thread that moves the clock.
                using var timer = clock.CreateTimer(
                    _ => over.TrySetResult(),
                    null,
                    TimeSpan.FromMilliseconds(delay),
                    System.Threading.Timeout.InfiniteTimeSpan
                );
                using var cancelled = cancellationToken.UnsafeRegister(_ => over.TrySetCanceled(cancellationToken), null);
                await over.Task;
            }

            return does switch
            {
                Does.Breaks => throw new HttpRequestException("reset"),
                Does.Fails or Does.FailsLate => new HttpResponseMessage(HttpStatusCode.InternalServerError)
                {
                    Content = new ByteArrayContent([]),
                },
                _ => new HttpResponseMessage(HttpStatusCode.OK) { Content = new ByteArrayContent([]) },
            };
        }
    }

    private static int? DelayOf(Does does) =>
        does switch
        {
            Does.AnswersLate or Does.FailsLate => 170,
            Does.Hangs => System.Threading.Timeout.Infinite,
            _ => null,
        };

    /// <summary>A model of the table, in the order in which events happen.</summary>
    private sealed class Table(Policy policy)
    {
        private int _good,
            _failed,
            _requests;
        private bool _isBreakOver;

        public BreakerState State { get; private set; }

        public int Taken { get; private set; }

        public int Started { get; private set; }

        public void BreakIsOver() => _isBreakOver = true;

        public Gets Expect(Step step)
        {
            Started = 0;
            var isProbe = State != BreakerState.Closed;
            if (isProbe && State == BreakerState.Open && !_isBreakOver)
            {
                return Gets.Unavailable;
            }

            State = isProbe ? BreakerState.HalfOpen : State;
            _requests++;
            var (deadline, leaves) = (step.IsShort ? 1000.0 : 5000.0, (double?)step.LeavesAfterMs ?? double.PositiveInfinity);
            var isHedged = policy.IsHedged && step.Asks == Asks.Read;
            var further =
                step.Asks == Asks.Write ? 0
                : isHedged ? Math.Max(1, policy.Retries)
                : policy.Retries;
            var first = Attempt(step, 0, deadline);
            double? beside =
                step.Asks != Asks.Read || further == 0 || isProbe ? null
                : isHedged ? 100
                : step.IsShort ? 500
                : null;
            Ended last;
            if (beside is { } at && at < first.At && at < leaves && TryTake())
            {
                further--;
                last = Beside(first, Attempt(step, at, deadline), leaves, out var nobody);
                if (nobody)
                {
                    return Gets.Nothing;
                }
            }
            else if (leaves < first.At)
            {
                return Gets.Nothing;
            }
            else
            {
                Count(first.IsGood, isProbe);
                last = first;
            }

            for (var made = 0; made < further && !last.IsGood; made++)
            {
                if (deadline - last.At <= 20 || State == BreakerState.Open || !TryTake())
                {
                    break;
                }

                var start = last.At + (isHedged ? 0 : 20 * Math.Pow(2, made));
                if (leaves < start)
                {
                    Taken--; // The attempt was not made, so the budget gets it back.
                    return Gets.Nothing;
                }

                var next = Attempt(step, start, deadline);
                if (leaves < next.At)
                {
                    return Gets.Nothing;
                }

                Count(next.IsGood, isProbe: false);
                last = next;
            }

            return last.Gets;
        }

        private Ended Beside(Ended first, Ended second, double leaves, out bool nobody)
        {
            nobody = false;
            var (sooner, later) = first.At < second.At ? (first, second) : (second, first);
            if (leaves < sooner.At)
            {
                nobody = true;
                return sooner;
            }

            Count(sooner.IsGood, isProbe: false);
            if (sooner.IsGood)
            {
                return sooner;
            }

            if (leaves < later.At)
            {
                nobody = true;
                return sooner;
            }

            if (State == BreakerState.Closed)
            {
                Count(later.IsGood, isProbe: false);
            }

            return later.IsGood ? later : second with { At = later.At };
        }

        private Ended Attempt(Step step, double at, double deadline)
        {
            var does = step.Service[Started++];
            var limit = Math.Min(Timeout.TotalMilliseconds, deadline - at);
            return does == Does.Hangs
                ? new(at + limit, false, Gets.Timeout)
                : new(
                    at + (DelayOf(does) ?? 0),
                    does is Does.Answers or Does.AnswersLate,
                    does switch
                    {
                        Does.Breaks => Gets.Failed,
                        Does.Fails or Does.FailsLate => Gets.Failure,
                        _ => Gets.Answer,
                    }
                );
        }

        private bool TryTake()
        {
            if (Taken >= 2 && Taken + 1 > 0.2 * _requests)
            {
                return false;
            }

            Taken++;
            return true;
        }

        private void Count(bool isGood, bool isProbe)
        {
            if (isProbe && isGood)
            {
                (State, _good, _failed) = (BreakerState.Closed, 0, 0);
                return;
            }

            (_good, _failed) = isGood ? (_good + 1, _failed) : (_good, _failed + 1);
            if (isProbe || (!isGood && _good + _failed >= policy.MinimumThroughput && _failed >= 0.5 * (_good + _failed)))
            {
                State = BreakerState.Open;
                _isBreakOver = false;
            }
        }

        private readonly record struct Ended(double At, bool IsGood, Gets Gets);
    }
}
