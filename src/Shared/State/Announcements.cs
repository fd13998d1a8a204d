using System.Globalization;
using Bff.Concurrency;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Bff.State;

/// <summary>
/// Makes sure that every instance learns of every change, even if the message about it is lost. Twice a second, one read for all feeds
/// returns the notes since the last read. An instance remembers its place as the id of a note. Half of the id is random, so after a
/// failover that lost writes, or in a new store, no other note can be mistaken for it, and the instance reads everything again. It also
/// reads everything again after each reconnection.
/// </summary>
internal sealed partial class Announcements : BackgroundService
{
    /// <summary>
    /// Interval between reads: twice within the second that a change may take. A change that comes later than that after its note was
    /// refused with 503.
    /// </summary>
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500);

    /// <summary>Number of notes that each feed keeps. An instance that is further behind reads everything again.</summary>
    private const int Kept = 1000;

    private static readonly TimeSpan KeptFor = TimeSpan.FromDays(1);

    private static readonly RedisScript AppendScript = new(
        """
        local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
        local number = last and tonumber(string.match(last[1], '^%d+')) + 1 or 1
        local id = string.format('%.0f', number) .. '-' .. ARGV[1]
        redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], id, 'n', ARGV[2])
        redis.call('PEXPIRE', KEYS[1], ARGV[4])
        return id
        """
    );

    /// <summary>
    /// Returns for each feed the latest id and the notes after the place, or the latest id and '' when the place is not in the stream. The
    /// latest id of an empty stream is '0-0'.
    /// </summary>
    private static readonly RedisScript ReadScript = new(
        """
        local all = {}
        for i, key in ipairs(KEYS) do
          local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
          last = last and last[1] or '0-0'
          local notes = { last }
          local place = ARGV[i]
          if place ~= last then
            local isNew = place == '0-0'
            local entries = place == '' and {} or redis.call('XRANGE', key, isNew and '-' or place, '+')
            local first = entries[1] and entries[1][1] or ''
            if isNew and string.match(first, '^1%-') or not isNew and place ~= '' and place == first then
              for j = isNew and 1 or 2, #entries do
                notes[#notes + 1] = entries[j][1]
                notes[#notes + 1] = entries[j][2][2]
              end
            else
              notes[2] = ''
            end
          end
          all[i] = notes
        end
        return all
        """
    );

    private readonly RedisState _redis;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly BackgroundLoop _loop;
    private readonly Lock _lock = new();
    private AnnouncementFeed[] _feeds = [];

    public Announcements(RedisState redis, TimeProvider time, ILogger<Announcements> logger)
    {
        (_redis, _time, _logger, _loop) = (redis, time, logger, new("announcements", logger));
        redis.Reconnected += OnReconnected;
    }

    /// <summary>Creates the feed of one kind of change. Call it once for each kind.</summary>
    /// <param name="name">Name of the stream of notes.</param>
    /// <param name="channel">Channel on which the notes are published.</param>
    public AnnouncementFeed Feed(string name, string channel)
    {
        var feed = new AnnouncementFeed(this, _redis, name, channel);
        lock (_lock)
        {
            _feeds = [.. _feeds, feed];
        }

        return feed;
    }

    public override void Dispose()
    {
        _redis.Reconnected -= OnReconnected;
        foreach (var feed in _feeds)
        {
            feed.Dispose();
        }

        base.Dispose();
    }

    internal async Task<string> Append(RedisKey key, string text, CancellationToken cancellation)
    {
        // Distinguishes the note from any other note with the same number.
        var random = Random.Shared.NextInt64(1, long.MaxValue).ToString(CultureInfo.InvariantCulture);
        return (string)(await _redis.Evaluate(AppendScript, [key], [random, text, Kept, (long)KeptFor.TotalMilliseconds], cancellation))!;
    }

    internal void Call(Action<string?> listener, string? text)
    {
        try
        {
            listener(text);
        }
#pragma warning disable CA1031 // A listener that throws must not keep the others from being called.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            LogListenerFailed(_logger, failure);
        }
    }

    /// <summary>Reads the new notes of all feeds in one step.</summary>
    internal async Task Read(CancellationToken cancellation)
    {
        var feeds = Volatile.Read(ref _feeds);
        if (feeds.Length == 0)
        {
            return;
        }

        var places = Array.ConvertAll(feeds, feed => (RedisValue)(feed.Place.Earlier ?? ""));
        var read = (RedisResult[])(await _redis.Evaluate(ReadScript, Array.ConvertAll(feeds, feed => feed.Key), places, cancellation))!;
        for (var i = 0; i < feeds.Length; i++)
        {
            var notes = (string[])read[i]!;
            feeds[i].Read(notes[0], notes.Length == 2 ? null : [.. notes.Skip(1).Chunk(2).Select(note => (note[0], note[1]))]);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!_redis.IsConfigured)
        {
            return;
        }

        // While reads fail, changes still arrive as messages. When the store is back, everything is read again.
        await _loop.Try(ReadFirst, stoppingToken);
        await _loop.Every(Every, _time, Read, stoppingToken);
    }

    private async Task ReadFirst(CancellationToken cancellation)
    {
        await _redis.Attempted(cancellation);
        await Read(cancellation);
    }

    private void OnReconnected(object? sender, EventArgs e)
    {
        foreach (var feed in Volatile.Read(ref _feeds))
        {
            feed.Missed();
        }
    }

    [LoggerMessage(
        1301,
        LogLevel.Error,
        "A component failed to apply a change of the shared state; it reads the state again at the next change",
        EventName = "StateListenerFailed"
    )]
    private static partial void LogListenerFailed(ILogger logger, Exception failure);
}
