using System.Collections.Immutable;
using StackExchange.Redis;

namespace Bff.State;

/// <summary>
/// Announces one kind of change to every instance within a second. A writer first appends a note (<see cref="Note"/>) and then publishes it
/// on <see cref="Channel"/> in the same step as the change. Instances receive a published note at once. If the message is lost, every
/// instance reads it from the stream of notes.
/// </summary>
internal sealed class AnnouncementFeed : IDisposable
{
    /// <summary>Maximum number of remembered note ids: twice as many as arrive between two reads.</summary>
    private const int MostRemembered = 8192;

    private readonly Announcements _announcements;
    private readonly RedisState _redis;
    private readonly IDisposable _subscription;
    private readonly Lock _lock = new();
    private HashSet<string> _heard = new(StringComparer.Ordinal);
    private HashSet<string> _heardBefore = new(StringComparer.Ordinal);
    private ImmutableArray<Action<string?>> _listeners = [];

    internal AnnouncementFeed(Announcements announcements, RedisState redis, string name, string channel)
    {
        (_announcements, _redis, Key, Channel) = (announcements, redis, "bff:{announced}:" + name, channel);
        _subscription = redis.Subscribe(channel, OnMessage);
    }

    /// <summary>
    /// Called after the listeners with the text of each note that was read but whose message did not arrive. Either the message was lost,
    /// or the instance that wrote the note died before or during the change, or that instance is about to make the change.
    /// </summary>
    public Action<string>? Unheard { get; set; }

    /// <summary>The channel on which a change publishes its note.</summary>
    public string Channel { get; }

    /// <summary>The stream of notes.</summary>
    internal RedisKey Key { get; }

    /// <summary>
    /// The last note of the latest read and of the read before it. Reads start at the earlier one, because a change may come a little later
    /// than its note.
    /// </summary>
    internal (string? Earlier, string? Latest) Place { get; private set; }

    /// <summary>
    /// Calls the listener on a background thread with the text of each note: when the note is published, otherwise when it is read, which
    /// may be just before the change. Null means that notes may have been missed, so the listener must read everything that depends on them
    /// again. The same note may arrive more than once.
    /// </summary>
    /// <returns>A subscription; dispose it to stop.</returns>
    public IDisposable Listen(Action<string?> listener)
    {
        ImmutableInterlocked.Update(ref _listeners, static (all, added) => all.Add(added), listener);
        return new Listening(() => ImmutableInterlocked.Update(ref _listeners, static (all, gone) => all.Remove(gone), listener));
    }

    /// <summary>Appends a note about a change that is about to happen.</summary>
    /// <returns>The message to publish with the change.</returns>
    /// <exception cref="StoreUnavailableException">Redis is unavailable; the change must not happen.</exception>
    public async Task<string> Note(string text, CancellationToken cancellation = default) =>
        $"{(_redis.IsConfigured ? await _announcements.Append(Key, text, cancellation) : "-")} {text}";

    /// <summary>Publishes a note of a change that is not made by a script.</summary>
    /// <exception cref="StoreUnavailableException">Redis is unavailable; the other instances still read the note within a
    /// second.</exception>
    public Task Publish(string note, CancellationToken cancellation = default) => _redis.Publish(Channel, note, cancellation);

    public void Dispose() => _subscription.Dispose();

    /// <summary>Tells the listeners that notes may have been missed.</summary>
    internal void Missed() => Tell(null);

    /// <summary>Handles the notes that were appended since <see cref="Place"/>.</summary>
    /// <param name="latest">Id of the stream's latest note.</param>
    /// <param name="notes">Id and text of each note; null when the stream no longer has the note of the place.</param>
    internal void Read(string latest, IReadOnlyList<(string Id, string Text)>? notes)
    {
        Place = (notes is null ? latest : Place.Latest, latest);
        if (notes is null)
        {
            Missed();
            return;
        }

        foreach (var (id, text) in notes)
        {
            if (!IsHeard(id))
            {
                Tell(text);
                if (Unheard is { } unheard)
                {
                    _announcements.Call(what => unheard(what!), text);
                }
            }
        }

        lock (_lock)
        {
            (_heardBefore, _heard) = (_heard, _heardBefore);
            _heard.Clear();
        }
    }

    private void OnMessage(string message)
    {
        var end = message.IndexOf(' ', StringComparison.Ordinal);
        if (end < 0)
        {
            Missed(); // The message has no id, so it is not known what has changed.
            return;
        }

        Tell(message[(end + 1)..]);
        lock (_lock)
        {
            if (_heard.Count >= MostRemembered)
            {
                _heard.Clear();
            }

            _heard.Add(message[..end]);
        }
    }

    private bool IsHeard(string id)
    {
        lock (_lock)
        {
            return _heard.Contains(id) || _heardBefore.Contains(id);
        }
    }

    private void Tell(string? text)
    {
        foreach (var listener in _listeners)
        {
            _announcements.Call(listener, text);
        }
    }

    private sealed class Listening(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
