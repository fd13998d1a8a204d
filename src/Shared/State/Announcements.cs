using System.Globalization;
using Bff.Concurrency;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Bff.State;

/// <summary>
/// Lets no change be missed, however the message about it got lost. Twice a second one read for all feeds together says what was noted
/// since the last one. Where an instance stands is the id of a note, half of which is random: after a failover that lost writes, or in a
/// store that is new, no other note can be taken for it, and everything is read again. So it is after each reconnection.
/// </summary>
internal sealed partial class Announcements : BackgroundService
{
    /// <summary>
    /// Twice within the second that a change may take; a change that comes later than that after its note was refused with 503.
    /// </summary>
    private static readonly TimeSpan Every = TimeSpan.FromMilliseconds(500);

    /// <summary>Notes kept of a feed; an instance that is further behind reads everything again.</summary>
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
    /// Per feed: its latest id, and what came after the place; without that part when the place is not in the stream. '0-0' is an empty
    /// one's.
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

    /// <summary>A kind of change. Ask once for each.</summary>
    /// <param name="name">Of the stream of notes.</param>
    /// <param name="channel">Where its notes are published.</param>
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
        // Tells it from every other of the same number.
        var random = Random.Shared.NextInt64(1, long.MaxValue).ToString(CultureInfo.InvariantCulture);
        return (string)(await _redis.Evaluate(AppendScript, [key], [random, text, Kept, (long)KeptFor.TotalMilliseconds], cancellation))!;
    }

    internal void Call(Action<string?> listener, string? text)
    {
        try
        {
            listener(text);
        }
#pragma warning disable CA1031 // One listener's mistake must not silence the others.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            LogListenerFailed(_logger, failure);
        }
    }

    /// <summary>Reads what was noted since the last time, of all feeds in one step.</summary>
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

        // While it fails changes still arrive as messages; when the store is back, everything is read again.
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
        "A component could not apply a change of the shared state; it reads the state again with the next change",
        EventName = "StateListenerFailed"
    )]
    private static partial void LogListenerFailed(ILogger logger, Exception failure);
}
