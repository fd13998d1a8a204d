using System.Collections.Immutable;
using StackExchange.Redis;

namespace Bff.State;

/// <summary>
/// One kind of change that every instance hears of within a second. Who changes something takes a note first (<see cref="Note"/>) and
/// publishes it on
/// <see cref="Channel"/> in the same step as the change. What is published is heard at once; what got lost is read again, from the notes,
/// by every instance.
/// </summary>
internal sealed class AnnouncementFeed : IDisposable
{
    /// <summary>Twice as many as are heard between two readings.</summary>
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
    /// Told, after the listeners, of each note that is read and has not been heard: its message was lost, or the instance that wrote it
    /// has died before or during the change, or is about to make the change.
    /// </summary>
    public Action<string>? Unheard { get; set; }

    /// <summary>Where a change publishes its note.</summary>
    public string Channel { get; }

    /// <summary>The stream of notes.</summary>
    internal RedisKey Key { get; }

    /// <summary>
    /// How far this instance has read, and how far it had a reading earlier: a change may come a little later than its note.
    /// </summary>
    internal (string? Earlier, string? Latest) Place { get; private set; }

    /// <summary>
    /// Calls back, on a background thread, with the text of each note: when it is published, else when it is read, which may be just before
    /// the change. Null: some may have been missed, so read again whatever depends on them. May say the same more than once.
    /// </summary>
    /// <returns>Dispose to stop.</returns>
    public IDisposable Listen(Action<string?> listener)
    {
        ImmutableInterlocked.Update(ref _listeners, static (all, added) => all.Add(added), listener);
        return new Listening(() => ImmutableInterlocked.Update(ref _listeners, static (all, gone) => all.Remove(gone), listener));
    }

    /// <summary>Notes what is about to change.</summary>
    /// <returns>What to publish with the change.</returns>
    /// <exception cref="StoreUnavailableException">Redis is away: the change must not happen.</exception>
    public async Task<string> Note(string text, CancellationToken cancellation = default) =>
        $"{(_redis.IsConfigured ? await _announcements.Append(Key, text, cancellation) : "-")} {text}";

    /// <summary>Publishes a note of something that no script changes.</summary>
    /// <exception cref="StoreUnavailableException">Redis is away; the others read it within a second after the note all the
    /// same.</exception>
    public Task Publish(string note, CancellationToken cancellation = default) => _redis.Publish(Channel, note, cancellation);

    public void Dispose() => _subscription.Dispose();

    /// <summary>Some may have been missed.</summary>
    internal void Missed() => Tell(null);

    /// <summary>What the notes say since the place.</summary>
    /// <param name="latest">Of the stream now.</param>
    /// <param name="notes">Id and text of each; null when the place is not to be found in the stream.</param>
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
            Missed(); // Something has changed, and it is not known what.
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
