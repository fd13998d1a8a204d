using System.Text.Json;
using System.Text.Json.Serialization;
using Bff.State;
using Bff.Upstreams;
using Microsoft.Extensions.Hosting;

namespace Bff.Caching;

/// <summary>
/// 1. notes what is invalid, so that every instance learns it whatever happens next; 2. drops what this process holds; 3. renews the tags' versions in
/// Redis; 4. tells every instance, this one included, because a read that began between 2 and 3 may have taken the old value out of Redis. Where some may
/// have been missed, all of this process's fragments go.
/// </summary>
internal sealed class FragmentInvalidator : IFragmentInvalidator, IHostedService, IDisposable
{
    /// <summary>Characters of tags in one note: the notes that are kept stay within a few megabytes.</summary>
    private const int NoteLength = 4096;

    private readonly FragmentMemory _memory;
    private readonly TagGenerations _generations;
    private readonly ReadGenerations _reads;
    private readonly ISharedFragments? _shared;
    private readonly AnnouncementFeed _feed;
    private IDisposable? _listening;

    public FragmentInvalidator(
        Announcements announcements, FragmentMemory memory, TagGenerations generations, ReadGenerations reads, ISharedFragments? shared)
    {
        (_memory, _generations, _reads, _shared) = (memory, generations, reads, shared);
        _feed = announcements.Feed("cache", "bff:cache:invalidate");
    }

    public async Task Invalidate(IReadOnlyCollection<string> tags, CancellationToken cancellation)
    {
        if (tags.Count == 0)
        {
            return;
        }

        Drop(tags);
        var notes = await Task.WhenAll(Parts(tags).Select(part => _feed.Note(JsonSerializer.Serialize(part, CachingJson.Default.StringArray), cancellation)));
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
        try
        {
            if (note is not null && JsonSerializer.Deserialize(note, CachingJson.Default.StringArray) is { } tags)
            {
                Drop(tags);
                return;
            }
        }
        catch (JsonException)
        {
            // Something is invalid, and nobody knows what.
        }

        _reads.Invalidated();
        _generations.InvalidateAll();
        _memory.Clear();
    }

    private void Drop(IEnumerable<string> tags)
    {
        _reads.Invalidated(); // First: a fragment that is read from here on must not be given what a call from before brings.
        _generations.Invalidate(tags);
    }
}

[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(InvalidateFragments.Request))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class CachingJson : JsonSerializerContext;
