using System.Text.Json;
using System.Text.Json.Serialization;

namespace Bff.Upstreams;

/// <summary>A page of a list, of one service or of several.</summary>
/// <param name="Items">In the list's order.</param>
/// <param name="NextCursor">Where the next page begins; null where there is none.</param>
public sealed record CursorPage<T>(IReadOnlyList<T> Items, [property: ServiceCursor] string? NextCursor = null);

/// <summary>One list out of several services' lists.</summary>
public static class Pages
{
    private const int Largest = 100;

    // The services' cursors and ids together; sealed, more would be longer than a cursor that a request may have.
    private const int MaxCursor = 2900;

    /// <summary>
    /// A page of the entries of several services, the newest first, with one cursor: one part, one status, one value. Each service gives
    /// its own list newest first. Every entry comes once, also where newer ones arrive between two pages; entries of the same time are in
    /// the order of the services. A page may be shorter than asked for, even empty, before the end: only a cursor that is null says that it
    /// is reached. The first service that fails is the whole's failure, for what is left out now would never come; cursors and ids that
    /// together are longer than a client's cursor may be are such a failure.
    /// </summary>
    /// <param name="cursor">Of the page before; null: from the start. Seal what the client gets. Say <c>.At(cursor)</c> of the part, so
    /// that one that is not good any more is 400.</param>
    /// <param name="limit">How many entries.</param>
    /// <param name="at">When an entry happened: what the lists are ordered by.</param>
    /// <param name="id">Names an entry within its service.</param>
    /// <param name="sources">A page of each service, from its own cursor.</param>
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
            // No page gave this cursor, or it is one of another number of services.
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
    /// The first entry that is due: behind the service's last that was given, and behind all that have arrived since, which are newer than
    /// what was given. Where these have pushed the last one off the page nothing of it is due; where it has been deleted, what is not newer
    /// than it was.
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

    /// <summary>Whether the last entry that was given is behind this page.</summary>
    private static bool IsPast<T>(IReadOnlyList<T> items, PlaceInList mark, Func<T, string> id) =>
        mark.LastId is { } last && IndexOf(items, last, id) < 0;

    /// <summary>
    /// Whose entry is next; null where there is none, or where that cannot be said: a service has more than was asked for.
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

/// <summary>How far a merged list has been given.</summary>
/// <param name="LastAt">When the last entry happened that was given; null: none yet.</param>
/// <param name="Lists">How far each service's has.</param>
internal sealed record MergedPlace(
    [property: JsonPropertyName("t")] DateTimeOffset? LastAt,
    [property: JsonPropertyName("l")] PlaceInList[] Lists
);

/// <summary>How far a service's list has been given.</summary>
/// <param name="Cursor">Of the page, the service's own; null: the first.</param>
/// <param name="LastId">The entry of that page, or of one behind it, that was given last; null: none yet.</param>
/// <param name="LastAt">When that happened.</param>
/// <param name="Taken">How many entries of the page have been given; below zero: all of the list.</param>
internal sealed record PlaceInList(
    [property: JsonPropertyName("c")] string? Cursor,
    [property: JsonPropertyName("i")] string? LastId,
    [property: JsonPropertyName("t")] DateTimeOffset LastAt,
    [property: JsonPropertyName("n")] int Taken
)
{
    /// <summary>Nothing is left.</summary>
    public static readonly PlaceInList End = new(null, null, default, -1);

    [JsonIgnore]
    public bool IsAtEnd => Taken < 0;
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(MergedPlace))]
internal sealed partial class PagesJson : JsonSerializerContext;
