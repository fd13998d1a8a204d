using System.Globalization;
using Bff.Events;
using Bff.Shared.Tests.Events;
using Bff.State;
using Bff.TestKit;
using StackExchange.Redis;
using EventId = Bff.Events.EventId;

namespace Bff.Shared.Tests.Models;

/// <summary>
/// Checks the event log against a model. A reader that continues at its position reads every accepted event once and in order, on any
/// instance and whatever the clock did, unless it is told that something may be missing. No issued position is ahead of an event that is
/// accepted later. A reader has to start again only when the log has lost events.
/// </summary>
public sealed class EventLogModelTests
{
    private enum Act
    {
        Append,
        AppendTwice,
        Read,
        ReadAll,
        Pass,
        StepClock,
        Keep,
        FailOver,
        Crash,
        Fault,
    }

    private static readonly (int Weight, Act Act)[] Acts =
    [
        (8, Act.Append),
        (2, Act.AppendTwice),
        (6, Act.Read),
        (4, Act.ReadAll),
        (3, Act.Pass),
        (3, Act.StepClock),
        (1, Act.Keep),
        (1, Act.FailOver),
        (1, Act.Crash),
        (3, Act.Fault),
    ];

    [Fact]
    public Task The_embedded_log_follows_the_model() => ModelCheck.Run(200, Acts, _ => new Run(null, []));

    [RedisFact]
    public async Task The_log_in_Redis_follows_the_model()
    {
        using var server = new ModelServer();
        var instances = new List<Instance>();
        for (var i = 0; i < ModelCheck.Instances; i++)
        {
            var link = new RedisLink(server);
            instances.Add(new(await EventsInstance.Start(link.ConnectionString), link, null));
        }

        await ModelCheck.Run(80, Acts, _ => new Run(server, instances));
        foreach (var instance in instances)
        {
            await instance.DisposeAsync();
        }
    }

    private sealed class Instance(EventsInstance events, RedisLink? link, ModelClock? clock) : IAsyncDisposable
    {
        public IEventLog Log { get; } = link is null ? FaultyStore<IEventLog>.Of(events.Log, new()) : events.Log;

        public FaultPlan Faults { get; } = link?.Faults ?? new();

        public ModelClock? Clock => clock;

        public async ValueTask DisposeAsync()
        {
            await events.DisposeAsync();
            link?.Dispose();
        }
    }

    /// <summary>A reader of one user's events, or of all events.</summary>
    private sealed class Reader
    {
        public EventId Place { get; set; }

        public long Number { get; set; }

        /// <summary>Events that are accepted but not read yet.</summary>
        public List<string> Missing { get; } = [];

        /// <summary>Events that the reader of the whole log has seen. An open stream has these at hand.</summary>
        public HashSet<string> Offered { get; } = [];

        public HashSet<string> Read { get; } = [];
    }

    private sealed class Run(ModelServer? server, List<Instance> instances) : IRun<Act>
    {
        private readonly Reader[] _readers = [.. Enumerable.Range(0, ModelCheck.Records).Select(_ => new Reader())];
        private readonly Reader _all = new();
        private readonly HashSet<string> _certain = [];
        private readonly HashSet<string> _refused = [];
        private readonly List<(string Id, int User)> _sinceCopy = [];
        private readonly string _user = Guid.NewGuid().ToString("N");
        private (string Id, int User)? _last;
        private EventId _ahead;
        private bool _mayBeLost;
        private int _number;
        private (Fault Fault, int Skip)? _next;

        public async Task Begin()
        {
            await (server?.Begin(Model.Start) ?? Task.CompletedTask);
            if (server is null)
            {
                await StartEmbedded();
            }

            await StartReader(_all);
            foreach (var reader in _readers)
            {
                await StartReader(reader);
            }

            await (server?.Keep() ?? Task.CompletedTask);
        }

        public async Task Take(Step<Act> step)
        {
            var instance = instances[step.Who % instances.Count];
            switch (step.Act)
            {
                case Act.Append:
                    await Append(instance, ($"e{++_number}", step.What));
                    return;
                case Act.AppendTwice when _last is { } last:
                    await Append(instance, last);
                    return;
                case Act.Read:
                    await ReadUser(instance, step.What);
                    return;
                case Act.ReadAll:
                    await ReadAll(instance);
                    return;
                case Act.Pass:
                    await Move(TimeSpan.FromSeconds(step.What == 0 ? 0.001 : step.Much), steps: false);
                    return;
                case Act.StepClock:
                    await Move(Model.Step(step.Much) / 2, steps: true); // All steps together are shorter than the log's retention.
                    return;
                case Act.Keep when server is not null:
                    await server.Keep();
                    _sinceCopy.Clear();
                    return;
                case Act.FailOver when server is not null:
                    await FailOver();
                    return;
                case Act.Crash when server is null:
                    await instances[0].DisposeAsync();
                    await StartEmbedded();
                    Forget(_certain.ToList());
                    return;
                case Act.Fault:
                    _next = (Model.FaultOf(step.Much), 0);
                    return;
            }
        }

        public async Task End()
        {
            _next = null;
            for (var user = 0; user < _readers.Length; user++)
            {
                await Append(instances[0], ($"e{++_number}", user));
                await ReadUser(instances[^1], user);
            }

            await ReadAll(instances[0]);
        }

        public async ValueTask DisposeAsync()
        {
            if (server is null)
            {
                foreach (var instance in instances)
                {
                    await instance.DisposeAsync();
                }
            }
        }

        private async Task StartEmbedded()
        {
            var clock = new ModelClock();
            clock.Set(instances.Count == 0 ? Model.Start : instances[0].Clock!.GetUtcNow());
            instances.Clear();
            instances.Add(new(await EventsInstance.Start(null, clock), null, clock));
        }

        private async Task StartReader(Reader reader)
        {
            var end = await instances[0].Log.End(default);
            (reader.Place, reader.Number) = (end.Id, end.Number);
            reader.Missing.Clear();
            reader.Offered.Clear();
            NoteIssued(end.Id);
        }

        /// <summary>Notes an issued position. No event that is accepted later may be before it.</summary>
        private void NoteIssued(EventId place) => _ahead = place > _ahead ? place : _ahead;

        private async Task Append(Instance instance, (string Id, int User) item)
        {
            var fault = Arm(instance);
            try
            {
                await instance.Log.Append([Sample.Event(_user + item.User, id: _user + item.Id)], default);
                if (_certain.Add(item.Id))
                {
                    _sinceCopy.Add(item);
                    _last = item;
                    foreach (var reader in (Reader[])[_readers[item.User], _all])
                    {
                        if (!reader.Read.Contains(item.Id)) // The event may have been stored although it was refused.
                        {
                            reader.Missing.Add(item.Id);
                        }
                    }
                }
            }
            catch (Exception refused) when (Model.IsRefusal(refused))
            {
                // The event may be in the log. Publishing it again stores it once.
                Model.Holds(fault, "an event was refused and nothing was wrong");
                _refused.Add(item.Id);
                _last = item;
            }
            finally
            {
                instance.Faults.Disarm();
            }
        }

        private bool Arm(Instance instance)
        {
            if (_next is not { } fault || server is null)
            {
                return false;
            }

            instance.Faults.Arm(fault.Fault, fault.Skip);
            _next = null;
            return true;
        }

        private async Task ReadUser(Instance instance, int user)
        {
            var reader = _readers[user];
            var fault = Arm(instance);
            EventPage page;
            try
            {
                page = await instance.Log.ReadUser(_user + user, reader.Place, 1000, default);
            }
            catch (Exception refused) when (Model.IsRefusal(refused))
            {
                Model.Holds(fault, "reading was refused and nothing was wrong");
                return;
            }
            finally
            {
                instance.Faults.Disarm();
            }

            if (!page.IsComplete)
            {
                Model.Holds(_mayBeLost, "a reader was told to start anew and nothing was lost");
                await StartReader(reader);
                return;
            }

            Deliver(reader, page.Events, $"reader {user}");
        }

        private async Task ReadAll(Instance instance)
        {
            var fault = Arm(instance);
            EventTailPage page;
            try
            {
                page = await instance.Log.ReadAll(_all.Place, 1000, default);
            }
            catch (Exception refused) when (Model.IsRefusal(refused))
            {
                Model.Holds(fault, "reading was refused and nothing was wrong");
                return;
            }
            finally
            {
                instance.Faults.Disarm();
            }

            var isGap = !page.IsComplete || (page.Events.Count > 0 && page.FirstNumber != _all.Number + 1);
            if (isGap)
            {
                Model.Holds(
                    _mayBeLost,
                    $"from {_all.Place}, number {_all.Number}, on to {page.ReadUpTo}, number {page.FirstNumber}, and nothing was lost"
                );
                _all.Missing.Clear(); // The readers are told of the gap and continue by themselves.
                page.Events.ToList().ForEach(e => _all.Read.Add(Id(e)));
            }
            else
            {
                Deliver(_all, page.Events, "the reader of everything");
            }

            _all.Place = page.ReadUpTo;
            _all.Number = page.Events.Count > 0 ? page.FirstNumber + page.Events.Count - 1 : _all.Number;
            NoteIssued(page.ReadUpTo);
            foreach (var item in page.Events)
            {
                _readers[int.Parse(item.Head.User![_user.Length..], CultureInfo.InvariantCulture)].Offered.Add(Id(item));
            }

            foreach (var reader in _readers)
            {
                if (!isGap && reader.Missing.Count == 0 && reader.Offered.IsSubsetOf(reader.Read) && page.ReadUpTo > reader.Place)
                {
                    reader.Place = page.ReadUpTo; // An idle reader advances its position.
                }
            }
        }

        private void Deliver(Reader reader, IReadOnlyList<LoggedEvent> events, string who)
        {
            foreach (var item in events)
            {
                var id = Id(item);
                Model.Holds(reader.Read.Add(id), $"{who} got {id} twice");
                Model.Holds(item.Id > reader.Place, $"{who} got {id} at {item.Id}, which is not after {reader.Place}");
                reader.Place = item.Id;
                if (_certain.Contains(id))
                {
                    // The position of an event that was refused once is unknown.
                    var next = _refused.Contains(id) ? id : reader.Missing.Find(m => !_refused.Contains(m));
                    Model.Holds(next == id, $"{who} got {id} instead of {next}");
                    Model.Holds(reader.Missing.Remove(id), $"{who} got {id}, which was not missing");
                }
            }

            Model.Holds(
                reader.Missing.Count == 0,
                $"{who} did not get {string.Join(' ', reader.Missing)}, stands at {reader.Place} and was told nothing"
            );
        }

        private string Id(LoggedEvent item) => item.Head.SourceId[_user.Length..];

        private async Task Move(TimeSpan by, bool steps)
        {
            await (server?.Move(by) ?? Task.CompletedTask);
            if (steps)
            {
                instances[0].Clock?.Step(by);
            }
            else
            {
                instances[0].Clock?.Advance(by);
            }
        }

        private async Task FailOver()
        {
            await server!.FailOver();
            Forget([.. _sinceCopy.Select(e => e.Id)]);
            _sinceCopy.Clear();
        }

        private void Forget(List<string> lost)
        {
            _mayBeLost = true;
            foreach (var reader in _readers.Append(_all))
            {
                reader.Missing.RemoveAll(lost.Contains);
            }

            _certain.ExceptWith(lost);
            _last = null;
        }
    }
}
