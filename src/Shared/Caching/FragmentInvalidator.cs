using System.Text.Json;
using System.Text.Json.Serialization;
using Bff.Concurrency;
using Bff.State;
using Bff.Upstreams;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bff.Caching;

/// <summary>
/// Invalidates tags. 1. Drop what this process holds. 2. Note the tags, so that every instance learns of them whatever happens next. 3.
/// Renew the tags' versions in Redis. 4. Tell every instance, including this one, because a read that began between 1 and 3 may have taken
/// the old value from Redis. When an instance may have missed some, it drops all its fragments. The tags are in many slots of Redis, so 3
/// is not one step. If an instance dies in the middle, its note remains, and every instance that reads the note without having been told
/// finishes the work. Invalidations that a failover may have undone are repeated by the instances that know of them.
/// </summary>
internal sealed class FragmentInvalidator : IFragmentInvalidator, IHostedService, IDisposable
{
    /// <summary>Maximum characters of tags in one note, so that the stored notes stay within a few megabytes.</summary>
    private const int NoteLength = 4096;

    /// <summary>Maximum number of recently invalidated tags that this process remembers.</summary>
    private const int MostRecent = 10_000;

    /// <summary>How long a tag is remembered. A replica is never further behind when it takes over.</summary>
    private static readonly TimeSpan RecentFor = TimeSpan.FromMinutes(1);

    private readonly FragmentMemory _memory;
    private readonly TagGenerations _generations;
    private readonly ReadGenerations _reads;
    private readonly RedisFragments? _shared;
    private readonly AnnouncementFeed _feed;
    private readonly TimeProvider _time;
    private readonly BackgroundLoop _renewal;
    private readonly Lock _lock = new();
    private readonly Queue<(long At, string Tag)> _recent = [];
    private IDisposable? _listening;

    public FragmentInvalidator(
        Announcements announcements,
        FragmentMemory memory,
        TagGenerations generations,
        ReadGenerations reads,
        RedisFragments? shared,
        TimeProvider time,
        ILogger<FragmentInvalidator> logger
    )
    {
        (_memory, _generations, _reads, _shared, _time) = (memory, generations, reads, shared, time);
        _renewal = new("tag-versions", logger);
        _feed = announcements.Feed("cache", "bff:cache:invalidate");
    }

    public async Task Invalidate(IReadOnlyCollection<string> tags, CancellationToken cancellation)
    {
        if (tags.Count == 0)
        {
            return;
        }

        Drop(tags);
        var notes = await Task.WhenAll(
            Parts(tags).Select(part => _feed.Note(JsonSerializer.Serialize(part, CachingJson.Default.StringArray), cancellation))
        );
        if (_shared is not null)
        {
            await _shared.Invalidate(tags, cancellation);
            Drop(tags);
        }

        await Task.WhenAll(notes.Select(note => _feed.Publish(note, cancellation)));
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _listening = _feed.Listen(OnNote);
        _feed.Unheard = note => Finish(Read(note) ?? []);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask; // Requests are still being served.

    public void Dispose() => _listening?.Dispose();

    private static IEnumerable<string[]> Parts(IReadOnlyCollection<string> tags)
    {
        var part = new List<string>();
        var length = 0;
        foreach (var tag in tags)
        {
            if (length + tag.Length > NoteLength && part.Count > 0)
            {
                yield return [.. part];
                part.Clear();
                length = 0;
            }

            part.Add(tag);
            length += tag.Length;
        }

        yield return [.. part];
    }

    private void OnNote(string? note)
    {
        if (Read(note) is { } tags)
        {
            Drop(tags);
            return;
        }

        _reads.Invalidated();
        _generations.InvalidateAll();
        _memory.Clear();
        Finish(Recent());
    }

    /// <summary>Reads the tags of a note; null when something unknown is invalid.</summary>
    private static string[]? Read(string? note)
    {
        try
        {
            return note is null ? null : JsonSerializer.Deserialize(note, CachingJson.Default.StringArray);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private void Drop(IReadOnlyCollection<string> tags)
    {
        _reads.Invalidated(); // First: a fragment that is read from here on must not get the result of an earlier call.
        _generations.Invalidate(tags);
        if (_shared is not null)
        {
            Remember(tags);
        }
    }

    private void Remember(IReadOnlyCollection<string> tags)
    {
        var now = _time.GetTimestamp();
        lock (_lock)
        {
            foreach (var tag in tags)
            {
                _recent.Enqueue((now, tag));
            }

            while (_recent.Count > MostRecent || (_recent.TryPeek(out var oldest) && _time.GetElapsedTime(oldest.At, now) > RecentFor))
            {
                _recent.Dequeue();
            }
        }
    }

    private HashSet<string> Recent()
    {
        var now = _time.GetTimestamp();
        lock (_lock)
        {
            return _recent.Where(r => _time.GetElapsedTime(r.At, now) <= RecentFor).Select(r => r.Tag).ToHashSet(StringComparer.Ordinal);
        }
    }

    /// <summary>Renews the versions in Redis in the background. A failure is repeated with the next read of notes or connection.</summary>
    private void Finish(IReadOnlyCollection<string> tags)
    {
        if (_shared is { } shared && tags.Count > 0)
        {
            _ = _renewal.Try(
                async stopping =>
                {
                    await shared.Invalidate(tags, stopping);
                    Drop(tags); // Values that were read from Redis in between.
                },
                CancellationToken.None
            );
        }
    }
}

[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(InvalidateFragments.Request))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class CachingJson : JsonSerializerContext;
