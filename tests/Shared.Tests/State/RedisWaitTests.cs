using System.Diagnostics;
using System.Net;
using Bff.RateLimiting;
using Bff.Shared.Tests.RateLimiting;
using Bff.State;
using Bff.Tenancy;
using Bff.TestKit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Bff.Shared.Tests.State;

/// <summary>
/// Tests how long callers wait for a real, frozen Redis. The tests advance the clock, so the result does not depend on the machine's speed.
/// </summary>
public sealed class RedisWaitTests : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Almost = TimeSpan.FromMilliseconds(99);
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(30);
    private readonly ILoggerFactory _logging = WatchedLogging.NewFactory();
    private readonly ManualTimeProvider _clock = new();
    private readonly RedisServer? _server = RedisServer.IsInstalled ? RedisServer.Run() : null;

    private RedisServer Server => _server!;

    [RedisFact]
    public async Task Who_asks_a_frozen_server_first_waits_100_ms_and_whoever_comes_then_not_at_all()
    {
        using var state = State();
        state.Start();
        await Available(state);
        await Get(state);

        Server.Freeze();
        var first = Enumerable.Range(0, 20).Select(_ => Get(state)).ToList();
        _clock.Advance(Almost);
        Assert.All(first, w => Assert.False(w.IsCompleted));
        Assert.True(state.IsAvailable);
        _clock.Advance(Timeout - Almost);
        foreach (var waited in first)
        {
            await Assert.ThrowsAsync<StoreUnavailableException>(() => waited.WaitAsync(WaitLimit));
        }

        for (var i = 0; i < 100; i++)
        {
            var next = Get(state);
            Assert.True(next.IsFaulted, "It waits.");
            await Assert.ThrowsAsync<StoreUnavailableException>(() => next);
        }

        Server.Continue();
        await Available(state);
        await Get(state).WaitAsync(WaitLimit);
    }

    [RedisFact]
    public async Task Waiting_for_the_first_connection_counts_as_well_and_is_done_once()
    {
        Server.Freeze();
        using var state = State();
        var asked = Stopwatch.StartNew();
        var first = Get(state);
        _clock.Advance(Almost);
        // After that long, the attempt to connect has failed by itself.
        Assert.True(!first.IsCompleted || asked.Elapsed > TimeSpan.FromMilliseconds(900));
        _clock.Advance(Timeout - Almost);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => first.WaitAsync(WaitLimit));

        Assert.True(Get(state).IsFaulted);
        Assert.True(state.IsKnownAway);
        Server.Continue();
        await Available(state);
    }

    [RedisFact]
    public async Task Work_of_the_start_waits_for_the_first_attempt_to_connect_however_little_a_request_may_wait()
    {
        Server.Freeze();
        using var state = State();
        var attempted = state.Attempted(CancellationToken.None);
        var request = Get(state);
        _clock.Advance(Timeout);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => request.WaitAsync(WaitLimit));
        using var stopping = new CancellationTokenSource();
        var stopped = state.Attempted(stopping.Token);

        await stopping.CancelAsync();
        Server.Continue();

        await attempted.WaitAsync(WaitLimit);
        Assert.True(stopped.IsCanceled || stopped.IsCompletedSuccessfully);
        await Available(state);
        await state.Attempted(CancellationToken.None).WaitAsync(WaitLimit);
        await Get(state).WaitAsync(WaitLimit);
    }

    [RedisFact]
    public async Task A_slow_answer_among_others_is_no_outage()
    {
        using var state = State();
        state.Start();
        await Available(state);
        var never = new TaskCompletionSource<int>();
        var slow = state.Run("GET", _ => never.Task);
        _clock.Advance(Timeout / 2);
        await Get(state);
        _clock.Advance(Timeout / 2);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => slow.WaitAsync(WaitLimit));
        Assert.True(state.IsAvailable);
    }

    [RedisTheory]
    [InlineData(PlanFamily.Users, HttpStatusCode.OK)]
    [InlineData(PlanFamily.Partner, HttpStatusCode.ServiceUnavailable)]
    internal async Task A_whole_request_waits_100_ms_and_the_next_one_not_at_all(PlanFamily plans, HttpStatusCode policy)
    {
        var settings = new Dictionary<string, string?>
        {
            ["ConnectionStrings:redis"] = Server.Address,
            ["Tenants:acme:Plan"] = "enterprise",
        };
        Asking? store = null;
        await using var host = await LimitedHost.Start(
            plans,
            settings,
            configure: b =>
            {
                b.Services.Replace(ServiceDescriptor.Singleton(_ => State()));
                b.Services.Replace(
                    ServiceDescriptor.Singleton<ILimitStore>(p => store = new(ActivatorUtilities.CreateInstance<RedisLimitStore>(p)))
                );
            }
        );
        var state = host.Services.GetRequiredService<RedisState>();
        await Available(state);
        using var well = await host.Get("/things", tenant: "acme");
        Assert.Equal(HttpStatusCode.OK, well.StatusCode);

        Server.Freeze();
        var asked = store!.Next();
        var waiting = host.Get("/things", tenant: "acme");
        await asked.WaitAsync(WaitLimit);
        _clock.Advance(Almost);
        Assert.False(waiting.IsCompleted);
        _clock.Advance(Timeout - Almost);
        using var waited = await waiting.WaitAsync(WaitLimit);
        Assert.Equal(policy, waited.StatusCode);

        using var next = await host.Get("/things", tenant: "acme").WaitAsync(WaitLimit); // The clock stands still.
        Assert.Equal(policy, next.StatusCode);
        Server.Continue();
        await Available(state);
    }

    public void Dispose()
    {
        _server?.Dispose();
        _logging.Dispose();
    }

    private RedisState State()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("ConnectionStrings:redis", Server.Address)]).Build();
        return new(configuration, Options.Create(new StateOptions()), _logging.CreateLogger<RedisState>(), _clock);
    }

    /// <summary>Waits until Redis is available. Advances the clock, which the probes use.</summary>
    private async Task Available(RedisState state)
    {
        var looks = 0;
        await RedisStateTests.Until(() =>
        {
            if (++looks % 50 == 0)
            {
                _clock.Advance(TimeSpan.FromSeconds(1));
            }

            return Task.FromResult(state.IsAvailable);
        });
    }

    private static Task<StackExchange.Redis.RedisValue> Get(RedisState state) =>
        state.Run("GET", database => database.StringGetAsync("bff:test:{a}"));

    /// <summary>Signals when a request waits for the store.</summary>
    private sealed class Asking(ILimitStore inner) : ILimitStore
    {
        private TaskCompletionSource _asked = new();

        public bool IsAway => inner.IsAway;

        public Task Next() => (_asked = new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

        public ValueTask<StoreAnswer> Take(string tag, LevelDemand[] levels)
        {
            var answer = inner.Take(tag, levels);
            _asked.TrySetResult();
            return answer;
        }

        public ValueTask<LeaseRotation> Join(string instance) => inner.Join(instance);

        public ValueTask<IReadOnlyDictionary<DateOnly, long>> Overage(string tag) => inner.Overage(tag);
    }
}
