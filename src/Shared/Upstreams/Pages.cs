using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bff.Upstreams;

/// <summary>A page of a list, of one service or of several.</summary>
/// <param name="Items">The entries, in order.</param>
/// <param name="NextCursor">Cursor of the next page; null if there is none.</param>
public sealed record CursorPage<T>(IReadOnlyList<T> Items, [property: ServiceCursor] string? NextCursor = null);

/// <summary>Merges the lists of several services into one.</summary>
public static class Pages
{
    private const int Largest = 100;

    // Limits the services' cursors and ids together: sealed, a longer cursor would exceed the limit of a request.
    private const int MaxCursor = 2900;

    /// <summary>
    /// Returns a page of the entries of several services, the newest first, with one cursor: one part, one status, one value. Each service
    /// must return its own list newest first. Every entry appears once, even if newer ones arrive between two pages; entries with the same
    /// time are in the order of the services. A page may be shorter than the limit, even empty, before the end of the list; only a null
    /// cursor marks the end. The first failure of a service is the failure of the whole, because entries that are left out now would never
    /// appear. Cursors and ids that together exceed the limit of a client's cursor are a failure too.
    /// </summary>
    /// <param name="cursor">Cursor of the previous page's end; null for the start. Seal it before it goes to the client. Call
    /// <c>.At(cursor)</c> on the part, so that an outdated cursor is answered with 400.</param>
    /// <param name="limit">Maximum number of entries.</param>
    /// <param name="at">Returns the time of an entry, by which the lists are ordered.</param>
    /// <param name="id">Returns the id of an entry within its service.</param>
    /// <param name="sources">Builds the call to each service, from its own cursor and a limit.</param>
    public static UpstreamCall<CursorPage<T>> Merge<T>(
        string? cursor,
        int limit,
        Func<T, DateTimeOffset> at,
        Func<T, string> id,
        params Func<string?, int, UpstreamCall<CursorPage<T>>>[] sources
    )
    {
        ArgumentNullException.ThrowIfNull(sources);
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        if (Read(cursor, sources.Length) is not { } place)
        {
            // No page issued this cursor, or it belongs to another number of services.
            return new HandMadeCall<CursorPage<T>>(
                static _ => new(UpstreamAnswer<CursorPage<T>>.No(UpstreamOutcome.Rejected, 400)),
                type: null,
                TimeProvider.System
            );
        }

        var marks = place.Lists;
        var calls = new List<UpstreamCall<CursorPage<T>>>(sources.Length);
        var asked = new List<int>(sources.Length);
        for (var i = 0; i < sources.Length; i++)
        {
            if (!marks[i].IsAtEnd)
            {
                calls.Add(sources[i](marks[i].Cursor, Math.Min(limit + marks[i].Taken, Largest)));
                asked.Add(i);
            }
        }

        return new ProjectedCall<CursorPage<T>, CursorPage<T>>(
            new BatchCall<CursorPage<T>, CursorPage<T>>(
                calls,
                Math.Max(1, calls.Count),
                pages => Join(pages, asked, place, limit, at, id),
                type: null
            ),
            static answer =>
                answer.Value?.NextCursor?.Length > MaxCursor
                    ? UpstreamAnswer<CursorPage<T>>.No(UpstreamOutcome.Failed, answer.Status)
                    : answer,
            type: null
        );
    }

    private static CursorPage<T> Join<T>(
        IReadOnlyList<CursorPage<T>> pages,
        List<int> asked,
        MergedPlace place,
        int limit,
        Func<T, DateTimeOffset> at,
        Func<T, string> id
    )
    {
        var marks = place.Lists;
        var first = new int[pages.Count];
        for (var i = 0; i < first.Length; i++)
        {
            first[i] = FirstDue(pages[i].Items, marks[asked[i]], place.LastAt, at, id);
        }

        var (items, next) = (new List<T>(limit), (int[])first.Clone());
        while (items.Count < limit && Newest(pages, next, at) is { } source)
        {
            items.Add(pages[source].Items[next[source]++]);
        }

        var places = (PlaceInList[])marks.Clone();
        for (var i = 0; i < next.Length; i++)
        {
            var (page, mark) = (pages[i], marks[asked[i]]);
            var last = next[i] > first[i] ? page.Items[next[i] - 1] : default;
            var isUsedUp = next[i] == page.Items.Count;
            places[asked[i]] = (isUsedUp, next[i] > first[i]) switch
            {
                (true, _) when page.NextCursor is null => PlaceInList.End,
                (true, false) when IsPast(page.Items, mark, id) => mark with { Cursor = page.NextCursor, Taken = 0 },
                (true, _) => new(page.NextCursor, null, default, 0),
                (false, true) => new(mark.Cursor, id(last!), at(last!), next[i]),
                (false, false) => mark with { Taken = next[i] },
            };
        }

        return new(
            items,
            places.All(p => p.IsAtEnd)
                ? null
                : JsonSerializer.Serialize(new(items.Count == 0 ? place.LastAt : at(items[^1]), places), PagesJson.Default.MergedPlace)
        );
    }

    /// <summary>
    /// Returns the index of the first entry to deliver: after the service's last delivered entry, and after all entries that have arrived
    /// since, which are newer than the last delivered one. If these have pushed the last entry off the page, nothing on it is due; if the
    /// last entry was deleted, the entries that are not newer than it are due.
    /// </summary>
    private static int FirstDue<T>(
        IReadOnlyList<T> items,
        PlaceInList mark,
        DateTimeOffset? lastAt,
        Func<T, DateTimeOffset> at,
        Func<T, string> id
    )
    {
        var first = 0;
        if (mark.LastId is { } last)
        {
            first = IndexOf(items, last, id) + 1;
            if (first == 0)
            {
                first = items.Count > 0 && at(items[^1]) < mark.LastAt ? CountNewer(items, 0, mark.LastAt, at) : items.Count;
            }
        }

        return lastAt is { } given ? CountNewer(items, first, given, at) : first;
    }

    private static int CountNewer<T>(IReadOnlyList<T> items, int from, DateTimeOffset time, Func<T, DateTimeOffset> at)
    {
        while (from < items.Count && at(items[from]) > time)
        {
            from++;
        }

        return from;
    }

    private static int IndexOf<T>(IReadOnlyList<T> items, string wanted, Func<T, string> id)
    {
        for (var i = 0; i < items.Count; i++)
        {
            if (id(items[i]) == wanted)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Whether the last delivered entry lies beyond this page.</summary>
    private static bool IsPast<T>(IReadOnlyList<T> items, PlaceInList mark, Func<T, string> id) =>
        mark.LastId is { } last && IndexOf(items, last, id) < 0;

    /// <summary>
    /// Returns the index of the service with the newest next entry; null if no entries are left, or if a used-up page has a successor, so
    /// that the newest is unknown.
    /// </summary>
    private static int? Newest<T>(IReadOnlyList<CursorPage<T>> pages, int[] next, Func<T, DateTimeOffset> at)
    {
        int? newest = null;
        for (var i = 0; i < next.Length; i++)
        {
            if (next[i] == pages[i].Items.Count)
            {
                if (pages[i].NextCursor is not null)
                {
                    return null;
                }
            }
            else if (newest is not { } other || at(pages[i].Items[next[i]]) > at(pages[other].Items[next[other]]))
            {
                newest = i;
            }
        }

        return newest;
    }

    private static MergedPlace? Read(string? cursor, int sources)
    {
        if (cursor is null)
        {
            return new(null, [.. Enumerable.Repeat(new PlaceInList(null, null, default, 0), sources)]);
        }

        try
        {
            return
                JsonSerializer.Deserialize(cursor, PagesJson.Default.MergedPlace) is { Lists: { } lists } place
                && lists.Length == sources
                && lists.All(l => l is not null)
                ? place
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>Position in a merged list.</summary>
/// <param name="LastAt">Time of the last delivered entry; null if there is none yet.</param>
/// <param name="Lists">Position in each service's list.</param>
internal sealed record MergedPlace(
    [property: JsonPropertyName("t")] DateTimeOffset? LastAt,
    [property: JsonPropertyName("l")] PlaceInList[] Lists
);

/// <summary>Position in a service's list.</summary>
/// <param name="Cursor">The service's cursor of the page; null for the first page.</param>
/// <param name="LastId">Id of the last delivered entry, on that page or a later one; null if there is none yet.</param>
/// <param name="LastAt">Time of that entry.</param>
/// <param name="Taken">Number of delivered entries of the page; negative if the whole list has been delivered.</param>
internal sealed record PlaceInList(
    [property: JsonPropertyName("c")] string? Cursor,
    [property: JsonPropertyName("i")] string? LastId,
    [property: JsonPropertyName("t")] DateTimeOffset LastAt,
    [property: JsonPropertyName("n")] int Taken
)
{
    /// <summary>Position at the end of a list.</summary>
    public static readonly PlaceInList End = new(null, null, default, -1);

    [JsonIgnore]
    public bool IsAtEnd => Taken < 0;
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(MergedPlace))]
internal sealed partial class PagesJson : JsonSerializerContext;
