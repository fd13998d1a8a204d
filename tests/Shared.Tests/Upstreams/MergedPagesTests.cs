using System.Text.Json;
using System.Text.Json.Nodes;
using Bff.Requests;
using Bff.Shared.Tests.Composition;
using Bff.TestKit;
using Bff.Upstreams;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.AspNetCore.Http;

namespace Bff.Shared.Tests.Upstreams;

/// <summary>Tests of one list that is merged from several services' lists.</summary>
public sealed class MergedPagesTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Holds for random lists and page sizes, also when newer entries arrive between two pages.</summary>
    [Fact]
    public void Every_entry_comes_once_and_the_newest_first()
    {
        var minutes = Gen.ListOf(Gen.Choose(0, 30));
        var cases =
            from lists in Gen.ListOf(minutes, 3)
            from limit in Gen.Choose(1, 12)
            from most in Gen.Choose(1, 12)
            from newer in Gen.Choose(0, 3)
            select (lists, limit, most, newer);

        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(400),
            Prop.ForAll(cases.ToArbitrary(), c => Holds([.. c.lists], c.limit, c.most, c.newer).GetAwaiter().GetResult())
        );
    }

    [Fact]
    public async Task A_list_that_is_at_its_end_is_not_asked_again()
    {
        var (full, empty) = (new List(0, [5, 4, 3, 2, 1], 100), new List(1, [], 100));
        var page = (await Page(null, 2, full, empty)).Value!;
        page = (await Page(page.NextCursor, 2, full, empty)).Value!;

        Assert.Equal([3, 2], page.Items.Select(e => e.At.Minute));
        Assert.Equal((2, 1), (full.Asked, empty.Asked));
    }

    [Fact]
    public async Task The_first_list_that_fails_is_the_page_s_failure()
    {
        var failing = new HandMadeCall<CursorPage<Entry>>(
            static _ => new(UpstreamAnswer<CursorPage<Entry>>.No(UpstreamOutcome.Unavailable)),
            null!,
            TimeProvider.System
        );

        var answer = await Pages.Merge(null, 5, e => e.At, e => e.Id, new List(0, [1], 100).Page, (_, _) => failing).Make(Call());

        Assert.Equal(UpstreamOutcome.Unavailable, answer.Outcome);
    }

    /// <summary>The gateway accepts cursors of at most 4096 characters, so it must give no longer ones.</summary>
    [Theory]
    [InlineData(1300, true)]
    [InlineData(1500, false)]
    public async Task Cursors_that_together_are_too_long_are_the_services_failure(int length, bool isTaken)
    {
        UpstreamCall<CursorPage<Entry>> Of(string? cursor, int limit) =>
            new HandMadeCall<CursorPage<Entry>>(
                _ => new(UpstreamAnswer<CursorPage<Entry>>.Ok(new([], new string('x', length)))),
                null!,
                TimeProvider.System
            );

        var answer = await Pages.Merge(null, 5, e => e.At, e => e.Id, Of, Of).Make(Call());

        Assert.Equal(isTaken ? UpstreamOutcome.Ok : UpstreamOutcome.Failed, answer.Outcome);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"l":[null,null]}""")]
    [InlineData("""{"l":[{}]}""")]
    [InlineData("o-17")]
    public async Task A_cursor_that_was_not_in_a_page_is_refused(string cursor) =>
        Assert.Equal(400, (await Page(cursor, 5, new List(0, [1], 9), new List(1, [1], 9))).Status);

    [Fact]
    public async Task The_recipe_turns_its_pages_by_one_cursor_and_refuses_one_that_is_not_its_own()
    {
        await using var bench = await RecipeBench.Start();
        bench.Answers["GET /letters"] = new List(0, [50, 30, 10], 100).Serve;
        bench.Answers["GET /messages"] = new List(1, [40, 20], 100).Serve;

        var (_, first) = await bench.Get("/timeline?limit=3");
        var (_, second) = await bench.Get("/timeline?limit=3&cursor=" + first!["nextCursor"]);
        var (status, problem) = await bench.Get("/timeline?cursor=made-up");

        Assert.Equal(["0-50", "1-40", "0-30"], first["items"]!.AsArray().Select(e => (string)e!["id"]!));
        Assert.Equal(["1-20", "0-10"], second!["items"]!.AsArray().Select(e => (string)e!["id"]!));
        Assert.Null(second["nextCursor"]);
        Assert.Equal((1, "live"), ((int?)first["_meta"]!["called"], (string?)first["_meta"]!["timeline"]));
        Assert.Equal((400, "invalid_cursor"), (status, (string?)problem!["code"]));

        bench.Says("GET /letters", "{}", 410); // The service no longer accepts its own cursor.
        (status, problem) = await bench.Get("/timeline?limit=3&cursor=" + first["nextCursor"]);
        Assert.Equal((400, "invalid_cursor"), (status, (string?)problem!["code"]));
    }

    private static async Task<bool> Holds(IReadOnlyList<int>[] minutes, int limit, int most, int newer)
    {
        var lists = minutes.Select((m, i) => new List(i, m, most)).ToArray();
        var known = lists.SelectMany(l => l.Entries).Select(e => e.Id).ToHashSet();
        var (given, pages) = (new List<Entry>(), 0);
        string? cursor = null;
        do
        {
            var page = (await Page(cursor, limit, lists)).Value!;
            given.AddRange(page.Items);
            cursor = page.NextCursor;
            foreach (var list in lists)
            {
                list.Arrive(newer);
            }
        } while (cursor is not null && ++pages < 500);

        var old = given.Where(e => known.Contains(e.Id)).ToList();
        return cursor is null
            && given.Select(e => e.Id).Distinct().Count() == given.Count
            && old.Count == known.Count
            && given.Zip(given.Skip(1)).All(two => two.First.At >= two.Second.At);
    }

    private static ValueTask<UpstreamAnswer<CursorPage<Entry>>> Page(string? cursor, int limit, params List[] lists) =>
        Pages
            .Merge<Entry>(
                cursor,
                limit,
                e => e.At,
                e => e.Id,
                [.. lists.Select(l => (Func<string?, int, UpstreamCall<CursorPage<Entry>>>)l.Page)]
            )
            .Make(Call());

    private static CallContext Call() =>
        new(
            new BffRequest
            {
                RequestId = "r",
                CorrelationId = "c",
                StartTimestamp = 0,
            },
            new(long.MaxValue),
            CancellationToken.None
        );

    /// <summary>A service's list, newest first. Its cursors name the last entry of the page before.</summary>
    private sealed class List(int number, IReadOnlyList<int> minutes, int most)
    {
        private int _newer;

        public List<Entry> Entries { get; } =
        [
            .. minutes
                .OrderDescending()
                .Select(
                    (m, i) =>
                        new Entry(minutes.Distinct().Count() == minutes.Count ? $"{number}-{m}" : $"{number}-{m}-{i}", Noon.AddMinutes(m))
                ),
        ];

        public int Asked { get; private set; }

        public void Arrive(int count)
        {
            for (var i = 0; i < count; i++)
            {
                Entries.Insert(0, new Entry($"{number}-new-{++_newer}", Noon.AddHours(1).AddSeconds(_newer)));
            }
        }

        public UpstreamCall<CursorPage<Entry>> Page(string? cursor, int limit) =>
            new HandMadeCall<CursorPage<Entry>>(
                _ => new(UpstreamAnswer<CursorPage<Entry>>.Ok(Take(cursor, limit))),
                null!,
                TimeProvider.System
            );

        public async Task Serve(HttpContext context)
        {
            var page = Take(
                context.Request.Query["cursor"] is [{ } cursor] ? cursor : null,
                int.Parse(context.Request.Query["limit"]!, System.Globalization.CultureInfo.InvariantCulture)
            );
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(
                new JsonObject
                {
                    ["items"] = new JsonArray([.. page.Items.Select(e => new JsonObject { ["id"] = e.Id, ["at"] = e.At })]),
                    ["nextCursor"] = page.NextCursor,
                }.ToJsonString()
            );
        }

        private CursorPage<Entry> Take(string? cursor, int limit)
        {
            Asked++;
            var from = cursor is null ? 0 : Entries.FindIndex(e => e.Id == cursor) + 1;
            var items = Entries.Skip(from).Take(Math.Min(limit, most)).ToList();
            return new(items, from + items.Count < Entries.Count ? items[^1].Id : null);
        }
    }
}
