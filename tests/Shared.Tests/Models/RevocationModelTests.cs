using Bff.Callers;
using Bff.Callers.Revoked;
using Bff.Configuration;
using Bff.Requests;
using Bff.Shared.Tests.State;
using Bff.State;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace Bff.Shared.Tests.Models;

/// <summary>
/// Checks revocations against a model. Every instance that reaches the store refuses a revoked token after one second, whichever messages
/// were lost, and an instance that was cut off does so one second after it is back. An instance that has once refused a token never accepts
/// it again. A token is accepted after its revocation only if the store has lost the revocation and the instance had not heard of it. No
/// other token is refused, and no background loop ends.
/// </summary>
public sealed class RevocationModelTests
{
    private const int Tokens = 12;
    private static readonly TimeSpan HalfASecond = TimeSpan.FromMilliseconds(500);

    private enum Act
    {
        Revoke,
        Pass,
        StepClock,
        LoseMessages,
        Cut,
        Mend,
        Crash,
        Keep,
        FailOver,
        Fault,
    }

    private static readonly (int Weight, Act Act)[] Acts =
    [
        (9, Act.Revoke),
        (5, Act.Pass),
        (1, Act.StepClock),
        (2, Act.LoseMessages),
        (3, Act.Cut),
        (3, Act.Mend),
        (1, Act.Crash),
        (2, Act.Keep),
        (3, Act.FailOver),
        (2, Act.Fault),
    ];

    [Fact]
    public Task The_embedded_list_follows_the_model() => ModelCheck.Run(40, Acts, _ => new Run(null));

    [RedisFact]
    public async Task The_list_in_Redis_follows_the_model()
    {
        using var server = new ModelServer();
        await ModelCheck.Run(40, Acts, _ => new Run(server));
    }

    private sealed class Instance(ServiceProvider services, RedisLink? link, ModelClock clock) : IAsyncDisposable
    {
        private readonly List<BackgroundService> _loops = [.. services.GetServices<IHostedService>().OfType<BackgroundService>()];

        public Revocations Revocations { get; } = services.GetRequiredService<Revocations>();

        public RedisState Redis { get; } = services.GetRequiredService<RedisState>();

        public RedisLink? Link => link;

        public ModelClock Clock => clock;

        /// <summary>Tokens that the instance has refused.</summary>
        public HashSet<int> Refused { get; } = [];

        public int Waiting { get; private set; }

        public static async Task<Instance> Start(ModelServer? server, DateTimeOffset now)
        {
            var (link, clock) = (server is null ? null : new RedisLink(server), new ModelClock());
            clock.Set(now);
            var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
            builder.Logging.Watch();
            builder.Configuration["ConnectionStrings:redis"] = link?.ConnectionString;
            builder.Configuration["State:Timeout"] = Generous.StateTimeout;
            builder.Services.AddSingleton<TimeProvider>(clock);
            builder.Services.AddSingleton<IRequestDeadline, ThreeSeconds>();
            builder.AddReloading().AddState().AddCallers();
            var instance = new Instance(builder.Services.BuildServiceProvider(), link, clock);
            if (link is not null)
            {
                await StateEngines.Connect(instance._services);
            }

            foreach (var loop in instance._loops)
            {
                await loop.StartAsync(default);
            }

            Model.Holds(await Model.WaitFor(() => instance.Revocations.IsReady && clock.Waiting > 0, 30), "an instance did not get ready");
            instance.Waiting = clock.Waiting;
            // Without Redis there are no other instances that announce anything.
            instance._loops.RemoveAll(l => link is null && l is Announcements);
            return instance;
        }

        private sealed class ThreeSeconds : IRequestDeadline
        {
            public TimeSpan Current => TimeSpan.FromSeconds(3);
        }

        private readonly ServiceProvider _services = services;

        public bool Refuses(int token)
        {
            var refuses =
                Revocations.Check(
                    new Caller
                    {
                        Subject = "u",
                        TokenId = Name(token),
                        Kind = CallerKind.Token,
                    }
                )
                is not null;
            if (refuses)
            {
                Refused.Add(token);
            }

            return refuses;
        }

        public async Task Pass(TimeSpan time)
        {
            clock.Advance(time);
            await Model.WaitFor(() => clock.Waiting >= Waiting);
            Model.Holds(_loops.TrueForAll(l => l.ExecuteTask is { IsCompleted: false }), "a background loop has ended");
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var loop in _loops)
            {
                await loop.StopAsync(default);
            }

            await _services.DisposeAsync();
            link?.Dispose();
        }

        private static string Name(int token) => $"t-{token}";

        public Task Revoke(int token) => Revocations.RevokeToken(Name(token));
    }

    private sealed class Run(ModelServer? server) : IRun<Act>
    {
        private readonly List<Instance> _instances = [];
        private readonly HashSet<int> _asked = [];
        private HashSet<int> _written = [];
        private HashSet<int> _copy = [];
        private DateTimeOffset _now = Model.Start;
        private (Fault Fault, int Skip)? _next;

        public async Task Begin()
        {
            await (server?.Begin(Model.Start) ?? Task.CompletedTask);
            await (server?.Keep() ?? Task.CompletedTask);
            for (var i = 0; i < (server is null ? 1 : ModelCheck.Instances); i++)
            {
                _instances.Add(await Instance.Start(server, _now));
            }
        }

        public async Task Take(Step<Act> step)
        {
            var who = step.Who % _instances.Count;
            var instance = _instances[who];
            switch (step.Act)
            {
                case Act.Revoke:
                    await Revoke(instance, step.Much);
                    break;
                case Act.Pass:
                    await Pass();
                    break;
                case Act.StepClock:
                    instance.Clock.Step(Model.Step(step.Much));
                    break;
                case Act.LoseMessages when instance.Link is { } link:
                    link.LosesMessages = step.What > 0;
                    break;
                case Act.Cut when instance.Link is { } link:
                    link.IsCut = true;
                    break;
                case Act.Mend:
                    await Mend(instance);
                    break;
                case Act.Crash:
                    await instance.DisposeAsync();
                    _written = server is null ? [] : _written;
                    _instances[who] = await Instance.Start(server, _now);
                    break;
                case Act.Keep when server is not null:
                    await server.Keep();
                    _copy = [.. _written];
                    break;
                case Act.FailOver when server is not null:
                    _instances.ForEach(i => i.Link!.IsCut = true); // All instances lose the connection, and each reconnects on its own.
                    await server.FailOver();
                    _written = [.. _copy];
                    break;
                case Act.Fault:
                    _next = (Model.FaultOf(step.Much), step.What % 2);
                    break;
            }

            CheckTokens();
        }

        public async Task End()
        {
            foreach (var instance in _instances)
            {
                await Mend(instance);
            }

            await Pass();
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var instance in _instances)
            {
                await instance.DisposeAsync();
            }
        }

        private async Task Revoke(Instance instance, int token)
        {
            if (_next is { } fault)
            {
                instance.Link?.Faults.Arm(fault.Fault, fault.Skip);
                _next = null;
            }

            _asked.Add(token);
            try
            {
                await instance.Revoke(token);
                _written.Add(token);
                Model.Holds(instance.Refuses(token), $"the instance that revoked token {token} takes it");
            }
            catch (Exception refused) when (Model.IsRefusal(refused))
            {
                // The revocation is not promised, and its caller gets the error.
            }
            finally
            {
                instance.Link?.Faults.Disarm();
            }
        }

        private static async Task Mend(Instance instance)
        {
            if (instance.Link is { IsCut: true } link)
            {
                link.IsCut = false;
                await ModelConnection.Reconnect(instance.Redis);
            }
        }

        private async Task Pass()
        {
            for (var half = 0; half < 2; half++)
            {
                _now += HalfASecond;
                await (server?.Move(HalfASecond) ?? Task.CompletedTask);
                foreach (var instance in _instances)
                {
                    await instance.Pass(HalfASecond);
                }
            }

            foreach (var instance in _instances.Where(i => i.Link is not { IsCut: true }))
            {
                foreach (var token in _written)
                {
                    Model.Holds(
                        await Model.WaitFor(() => instance.Refuses(token)),
                        $"instance {_instances.IndexOf(instance)} takes token {token} a second after it was revoked"
                    );
                }
            }
        }

        private void CheckTokens()
        {
            foreach (var instance in _instances)
            {
                for (var token = 0; token < Tokens; token++)
                {
                    var knew = instance.Refused.Contains(token);
                    var refuses = instance.Refuses(token);
                    Model.Holds(refuses || !knew, $"token {token} is taken again by an instance that had refused it");
                    Model.Holds(!refuses || _asked.Contains(token), $"token {token} is refused, and nobody has revoked it");
                }
            }
        }
    }
}
