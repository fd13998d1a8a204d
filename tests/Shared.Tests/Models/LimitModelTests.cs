using Bff.RateLimiting;
using Bff.Shared.Tests.RateLimiting;
using Bff.TestKit;
using StackExchange.Redis;

namespace Bff.Shared.Tests.Models;

/// <summary>
/// Checks the rate limiter against a model. All instances together admit no more than the bucket allows: its burst and its refill while the
/// clock runs. A failover to an older copy returns the tokens that were taken since and those that the instances hold on lease. The bucket
/// fills up again whatever happened.
/// </summary>
public sealed class LimitModelTests
{
    private const int Burst = 100;

    /// <summary>Tokens that one instance leases from the bucket at a time: 5 %.</summary>
    private const int Lease = 5;

    private static readonly TimeSpan Full = TimeSpan.FromSeconds(Burst + 10);

    private enum Act
    {
        Ask,
        AskALot,
        Pass,
        StepClock,
        Keep,
        FailOver,
        Crash,
        Fault,
    }

    private static readonly (int Weight, Act Act)[] Acts =
    [
        (4, Act.Ask),
        (6, Act.AskALot),
        (4, Act.Pass),
        (3, Act.StepClock),
        (2, Act.Keep),
        (2, Act.FailOver),
        (1, Act.Crash),
        (2, Act.Fault),
    ];

    [Theory]
    [InlineData(nameof(LimitMode.Exact))]
    [InlineData(nameof(LimitMode.Leased))]
    public Task The_embedded_buckets_follow_the_model(string mode) =>
        ModelCheck.Run(60, Acts, _ => new Run(null, Enum.Parse<LimitMode>(mode), new()));

    [Theory]
    [RedisData(nameof(LimitMode.Exact))]
    [RedisData(nameof(LimitMode.Leased))]
    public async Task The_buckets_in_Redis_follow_the_model(string mode)
    {
        using var server = new ModelServer();
        var instances = new List<Instance>();
        await ModelCheck.Run(30, Acts, _ => new Run(server, Enum.Parse<LimitMode>(mode), instances));
        foreach (var instance in instances)
        {
            await instance.DisposeAsync();
        }
    }

    private sealed class Instance(LimitInstance limits, RedisLink? link, ModelClock clock) : IAsyncDisposable
    {
        public LimitInstance Limits => limits;

        public RedisLink? Link => link;

        public ModelClock Clock => clock;

        public static async Task<Instance> Start(ModelServer? server, LimitMode mode)
        {
            var (link, clock) = (server is null ? null : new RedisLink(server), new ModelClock());
            var limits = await LimitInstance.Start(
                link?.ConnectionString,
                mode,
                clock,
                ("Plans:free:Burst", $"{Burst}"),
                ("Plans:free:RequestsPerMinute", "60"),
                ("Plans:free:OnStoreFailure", "Reject")
            );
            return new(limits, link, clock);
        }

        public async ValueTask DisposeAsync()
        {
            await limits.DisposeAsync();
            link?.Dispose();
        }
    }

    private sealed class Run(ModelServer? server, LimitMode mode, List<Instance> instances) : IRun<Act>
    {
        private static int _number;
        private readonly string _caller = "caller-" + Interlocked.Increment(ref _number);
        private readonly int _slack = mode == LimitMode.Leased ? Lease * ModelCheck.Instances : 0;
        private double _left = Burst;
        private double _gained;
        private (double Left, double Gained) _copy = (Burst, 0);
        private (Fault Fault, int Skip)? _next;

        private int Count => server is null ? 1 : ModelCheck.Instances;

        public async Task Begin()
        {
            await (server?.Begin(Model.Start) ?? Task.CompletedTask);
            while (instances.Count < Count)
            {
                instances.Add(await Instance.Start(server, mode));
            }
        }

        public async Task Take(Step<Act> step)
        {
            switch (step.Act)
            {
                case Act.Ask:
                    await Ask(step.Who, 1 + step.What);
                    return;
                case Act.AskALot:
                    await Ask(step.Who, 10 * step.Much);
                    return;
                case Act.Pass:
                    await Pass(TimeSpan.FromSeconds(step.What == 0 ? 0.3 : step.Much));
                    return;
                case Act.StepClock:
                    await StepClock(Model.Step(step.Much));
                    return;
                case Act.Keep when server is not null:
                    await server.Keep();
                    _copy = (_left, _gained);
                    return;
                case Act.FailOver when server is not null:
                    await server.FailOver();
                    _left = Math.Min(Burst, _copy.Left + _gained - _copy.Gained) + _slack;
                    return;
                case Act.Crash:
                    await Crash(step.Who % Count);
                    return;
                case Act.Fault:
                    _next = (Model.FaultOf(step.Much), step.What);
                    return;
            }
        }

        public async Task End()
        {
            _next = null;
            await Pass(TimeSpan.FromSeconds(1.1)); // An instance that found the bucket empty asks the store again after a second.
            await Ask(0, 1); // A bucket notices a clock step back only with a request, and refills from that request on.
            await Pass(Full);
            var admitted = await Ask(0, Burst);
            Model.Holds(admitted >= Burst - _slack, $"a bucket that should be full again admitted {admitted} of {Burst}");
        }

        public async ValueTask DisposeAsync()
        {
            if (server is null)
            {
                foreach (var instance in instances)
                {
                    await instance.DisposeAsync();
                }

                instances.Clear();
            }
        }

        private async Task<int> Ask(int who, int times)
        {
            var instance = instances[who % Count];
            if (_next is { } fault)
            {
                instance.Link?.Faults.Arm(fault.Fault, fault.Skip);
                _next = null;
            }

            var set = instance.Limits.Set(_caller);
            var admitted = 0;
            for (var i = 0; i < times; i++)
            {
                if (await IsAdmitted(instance, set))
                {
                    admitted++;
                    _left--;
                    Model.Holds(_left > -0.001, $"one more was admitted than the bucket gives: {_left:0.###} are left");
                }
            }

            instance.Link?.Faults.Disarm();
            return admitted;
        }

        private static async Task<bool> IsAdmitted(Instance instance, LimitSet set)
        {
            try
            {
                return (await instance.Limits.Decide(set)).Outcome == DecisionOutcome.Admitted;
            }
            catch (Exception refused) when (Model.IsRefusal(refused))
            {
                return false; // A client would get a 500.
            }
        }

        private async Task Pass(TimeSpan time)
        {
            await (server?.Move(time) ?? Task.CompletedTask);
            Gain(time);
            foreach (var instance in instances)
            {
                instance.Clock.Advance(time);
            }

            await Task.Yield();
        }

        private async Task StepClock(TimeSpan by)
        {
            await (server?.Move(by) ?? Task.CompletedTask);
            instances[0].Clock.Step(server is null ? by : TimeSpan.Zero);
            Gain(by);
        }

        private void Gain(TimeSpan time)
        {
            if (time > TimeSpan.Zero)
            {
                _gained += time.TotalSeconds;
                _left = Math.Min(_left + time.TotalSeconds, Burst + _slack);
            }
        }

        private async Task Crash(int who)
        {
            await instances[who].DisposeAsync();
            instances[who] = await Instance.Start(server, mode);
            if (server is null)
            {
                _left = Burst; // A single process loses its state with a crash.
            }
        }
    }
}
