using System.Text;
using Bff.Idempotency;
using Bff.Requests;
using Bff.State;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Bff.Shared.Tests.Models;

/// <summary>
/// Checks idempotent requests against a model. A keyed request is executed once and its repeats get its answer, unless the store has lost
/// it, its instance has died, or the store's clock has jumped past the lock. No request gets another request's answer, no request is
/// executed without the lock, and no key is blocked for longer than a lease.
/// </summary>
public sealed class IdempotencyModelTests
{
    private enum Act
    {
        Send,
        Begin,
        Finish,
        Crash,
        Pass,
        StepClock,
        Keep,
        FailOver,
        Fault,
    }

    private static readonly (int Weight, Act Act)[] Acts =
    [
        (8, Act.Send),
        (4, Act.Begin),
        (4, Act.Finish),
        (2, Act.Crash),
        (3, Act.Pass),
        (2, Act.StepClock),
        (1, Act.Keep),
        (1, Act.FailOver),
        (4, Act.Fault),
    ];

    [Fact]
    public async Task The_embedded_keys_follow_the_model() => await ModelCheck.Run(300, Acts, _ => new Run(null, [null, null]));

    [RedisFact]
    public async Task The_keys_in_Redis_follow_the_model()
    {
        using var server = new ModelServer();
        await using var one = await ModelConnection.Open(server);
        await using var two = await ModelConnection.Open(server);
        await ModelCheck.Run(300, Acts, _ => new Run(server, [one, two])); // Fewer runs did not find a lock that ends too early.
    }

    private sealed class Key
    {
        /// <summary>The answer that every repeat must get, or null when no answer is known to be stored.</summary>
        public (int Content, string Body)? Kept { get; set; }

        /// <summary>Elapsed time after which no lock of an ended request may remain.</summary>
        public TimeSpan BlockedUntil { get; set; } = TimeSpan.MinValue;

        /// <summary>
        /// Whether the clock went back since the last request. Only a request notices that the lock ends too late, and from then on the
        /// lock lasts for one lease.
        /// </summary>
        public bool MayEndTooLate { get; set; }
    }

    private sealed class PendingRequest
    {
        public required int Who { get; init; }

        public required int Key { get; init; }

        public required int Content { get; init; }

        public TaskCompletionSource<int> Served { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<(StoredAnswer? Answer, Problem? Problem)>? Sent { get; set; }

        /// <summary>Whether the request certainly holds the lock.</summary>
        public bool IsLocked { get; set; } = true;

        public string? Body { get; set; }
    }

    private sealed class Instance(IIdempotencyStore store, IOptions<IdempotencyOptions> options)
    {
        public IIdempotencyStore Store => store;

        public ModelClock Clock { get; } = new();

        public Idempotent Idempotent => field ??= new(store, options, Clock, NullLogger<Idempotent>.Instance);
    }

    private sealed class Run(ModelServer? server, ModelConnection?[] connections) : IRun<Act>
    {
        private static readonly IOptions<IdempotencyOptions> Options = Microsoft.Extensions.Options.Options.Create(
            new IdempotencyOptions()
        );
        private static readonly TimeSpan Lease = Options.Value.Lease;
        private readonly Key[] _keys = [.. Enumerable.Range(0, ModelCheck.Records).Select(_ => new Key())];
        private readonly List<PendingRequest> _pending = [];
        private readonly FaultPlan[] _faults = [.. connections.Select(c => c?.Link.Faults ?? new())];
        private readonly Instance[] _instances = new Instance[ModelCheck.Instances];
        private ModelClock _storeClock = new();
        private IIdempotencyStore? _embedded;
        private (int Content, string Body)?[] _copy = new (int, string)?[ModelCheck.Records];
        private TimeSpan _passed;
        private TimeSpan _ahead;
        private int _executions;
        private (Fault Fault, int Skip)? _next;

        public async Task Begin()
        {
            if (server is not null)
            {
                await server.Begin(Model.Start);
                await server.Keep();
            }

            Array.ForEach([0, 1], Restart);
        }

        public async Task Take(Step<Act> step)
        {
            switch (step.Act)
            {
                case Act.Send:
                    await Send(step, waits: false);
                    return;
                case Act.Begin:
                    await Send(step, waits: true);
                    return;
                case Act.Finish when _pending.Count > 0:
                    var request = _pending[step.What % _pending.Count];
                    await Finish(request, StatusOf(step.Much));
                    return;
                case Act.Crash:
                    Crash(step.Who);
                    return;
                case Act.Pass:
                    await Pass(step.Much);
                    return;
                case Act.StepClock:
                    await StepClock(Model.Step(step.Much));
                    return;
                case Act.Keep when server is not null:
                    await server.Keep();
                    _copy = [.. _keys.Select(k => k.Kept)];
                    return;
                case Act.FailOver when server is not null:
                    await server.FailOver();
                    Lose(_copy);
                    return;
                case Act.Fault:
                    _next = (Model.FaultOf(step.Much), step.What);
                    return;
            }
        }

        public async Task End()
        {
            foreach (var request in _pending.ToList())
            {
                await Finish(request, 200);
            }

            await SendEach();
            await Pass((int)Lease.TotalSeconds + 1);
            await SendEach(); // No key is blocked any more.
        }

        private async Task SendEach()
        {
            _next = null;
            foreach (var key in Enumerable.Range(0, ModelCheck.Records))
            {
                await Send(new(Act.Send, key % ModelCheck.Instances, key, 0), waits: false);
            }
        }

        public ValueTask DisposeAsync()
        {
            Array.ForEach(_instances, i => FaultyStore<IIdempotencyStore>.Kill(i.Store));
            _pending.ForEach(f => f.Served.TrySetCanceled());
            Array.ForEach(_faults, f => f.Disarm());
            return default;
        }

        private static int StatusOf(int much) =>
            much switch
            {
                < 9 => 200,
                9 => 503,
                10 => 500,
                _ => 0, // The service's connection broke.
            };

        private void Restart(int who)
        {
            IIdempotencyStore store = connections[who] is { } connection
                ? ActivatorUtilities.CreateInstance<RedisIdempotencyStore>(connection.Services, Options)
                : _embedded ??= new EmbeddedIdempotencyStore(Options, _storeClock);
            _instances[who] = new(FaultyStore<IIdempotencyStore>.Of(store, connections[who] is null ? _faults[who] : null), Options);
        }

        private void Crash(int who)
        {
            if (server is null)
            {
                _embedded = null; // A single process loses its state with a crash.
                _storeClock = new();
                foreach (var one in (int[])[0, 1])
                {
                    FaultyStore<IIdempotencyStore>.Kill(_instances[one].Store);
                    Restart(one);
                }

                Lose(new (int, string)?[ModelCheck.Records]);
                Abandon(_ => true);
                return;
            }

            FaultyStore<IIdempotencyStore>.Kill(_instances[who].Store);
            Restart(who);
            Abandon(f => f.Who == who);
        }

        private void Abandon(Predicate<PendingRequest> which)
        {
            foreach (var request in _pending.FindAll(which))
            {
                _keys[request.Key].BlockedUntil = _passed + Lease;
                request.Served.TrySetCanceled();
            }

            _pending.RemoveAll(which);
        }

        private void Lose((int, string)?[] copy)
        {
            for (var i = 0; i < _keys.Length; i++)
            {
                // An answer from after the copy may or may not be returned again.
                _keys[i].Kept = _keys[i].Kept == copy[i] ? copy[i] : null;
                _keys[i].BlockedUntil = _passed + Lease;
                _keys[i].MayEndTooLate = true; // The copy may be older than a clock step back.
            }

            _pending.ForEach(f => f.IsLocked = false);
        }

        private async Task Pass(int seconds)
        {
            for (var i = 0; i < seconds; i++)
            {
                var second = TimeSpan.FromSeconds(1);
                _passed += second;
                _storeClock.Advance(second);
                await (server?.Move(second) ?? Task.CompletedTask);
                for (var who = 0; who < _instances.Length; who++)
                {
                    var clock = _instances[who].Clock;
                    clock.Advance(second);
                    var locked = _pending.Count(f => f.Who == who && f.IsLocked);
                    Model.Holds(await Model.WaitFor(() => clock.Waiting >= locked), "a lock is renewed no more");
                }
            }

            _ahead = TimeSpan.FromSeconds(seconds) > Lease / 3 ? TimeSpan.Zero : _ahead; // Every lock has been renewed since.
        }

        private async Task StepClock(TimeSpan by)
        {
            _storeClock.Step(by);
            await (server?.Move(by) ?? Task.CompletedTask);
            // A lock that is taken after a step back ends by the new time, so an earlier step back does not make up for a step forward.
            _ahead = (_ahead > TimeSpan.Zero ? _ahead : TimeSpan.Zero) + by;
            Array.ForEach(_keys, k => k.MayEndTooLate |= by < TimeSpan.Zero);
            if (_ahead > Lease / 2)
            {
                _pending.ForEach(f => f.IsLocked = false); // By the store's clock their leases have expired.
            }
        }

        private async Task Send(Step<Act> step, bool waits)
        {
            var content = step.Much % 4 == 3 ? 1 : 0;
            var request = new PendingRequest
            {
                Who = step.Who,
                Key = step.What,
                Content = content,
            };
            var key = _keys[step.What];
            var before = _executions;
            var wasKept = key.Kept;
            var mayBeBlocked = key.BlockedUntil >= _passed || _pending.Exists(f => f.Key == step.What);
            var faults = Arm(step.Who);
            request.Sent = _instances[step.Who]
                .Idempotent.RunItem(new KeyedRequest("k", "s"), $"{step.What}", new[] { (byte)content }, _ => Serve(request));
            if (!waits)
            {
                request.Served.TrySetResult(StatusOf(step.Much));
            }

            await Task.WhenAny(request.Sent, Model.WaitFor(() => waits && request.Body is not null, 30));
            var faulted = faults.Disarm();
            if (_executions > before && !request.Sent.IsCompleted)
            {
                _pending.Add(request);
                return;
            }

            await Judge(request, _executions > before, faulted, wasKept, mayBeBlocked, StatusOf(step.Much));
        }

        private FaultPlan Arm(int who)
        {
            if (_next is { } fault)
            {
                _faults[who].Arm(fault.Fault, fault.Skip % 2);
                _next = null;
            }

            return _faults[who];
        }

        private async Task<StoredAnswer> Serve(PendingRequest request)
        {
            var key = _keys[request.Key];
            Model.Holds(key.Kept is null, $"key {request.Key} is executed again although its answer was kept");
            Model.Holds(!_pending.Exists(f => f.Key == request.Key && f.IsLocked), $"key {request.Key} is executed twice at once");
            var body = $"{request.Key}/{request.Content}/{++_executions}";
            request.Body = body;
            var status = await request.Served.Task;
            return status > 0 ? new(status, [], Encoding.UTF8.GetBytes(body)) : throw new HttpRequestException("cut");
        }

        private async Task Finish(PendingRequest request, int status)
        {
            _pending.Remove(request);
            var faults = Arm(request.Who);
            request.Served.TrySetResult(status);
            await Task.WhenAny(request.Sent!);
            await Judge(request, isExecuted: true, faults.Disarm(), null, mayBeBlocked: true, status);
        }

        private async Task Judge(
            PendingRequest request,
            bool isExecuted,
            bool faulted,
            (int Content, string Body)? kept,
            bool mayBeBlocked,
            int status
        )
        {
            var key = _keys[request.Key];
            if (faulted)
            {
                key.BlockedUntil = _passed + Lease;
            }

            try
            {
                var (answer, problem) = await request.Sent!;
                if (answer is not null)
                {
                    var body = Encoding.UTF8.GetString(answer.Body);
                    Model.Holds(
                        body.StartsWith($"{request.Key}/{request.Content}/", StringComparison.Ordinal),
                        $"key {request.Key} got the answer {body} of another request"
                    );
                    Model.Holds(
                        kept is null || body == kept.Value.Body,
                        $"key {request.Key} got {body} instead of its answer {kept?.Body}"
                    );
                    if (isExecuted && status == 200 && body == request.Body && request.IsLocked && !faulted)
                    {
                        key.Kept = (request.Content, body);
                    }

                    return;
                }

                Model.Holds(!isExecuted, $"key {request.Key} was executed and got no answer");
                var isMismatch = problem!.Code.Status == 422;
                Model.Holds(
                    kept is null || (isMismatch && kept.Value.Content != request.Content),
                    $"key {request.Key} got {problem.Code.Status} instead of its answer"
                );
                if (!isMismatch && key.MayEndTooLate)
                {
                    key.BlockedUntil = _passed + Lease;
                    mayBeBlocked = true;
                }

                key.MayEndTooLate = false;
                Model.Holds(isMismatch || mayBeBlocked, $"key {request.Key} is blocked and nobody is served");
            }
            catch (Exception refused) when (Model.IsRefusal(refused))
            {
                Model.Holds(faulted && !isExecuted, $"key {request.Key}: {refused.GetType().Name} over an answer that was served");
            }
            catch (HttpRequestException)
            {
                Model.Holds(status == 0, "the service's failure came from elsewhere");
            }
        }
    }
}
