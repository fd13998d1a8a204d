using Bff.Paging;
using Bff.Requests;
using Bff.Shared.Tests.Caching;
using Bff.State;

namespace Bff.Shared.Tests.Paging;

/// <summary>Tests the cursors that clients get in place of a service's cursors.</summary>
public sealed class CursorsTests
{
    private readonly EmbeddedKeyRing _keys = new(TimeProvider.System);

    [Fact]
    public async Task A_position_has_one_opaque_cursor_that_can_be_opened()
    {
        var list = await List("web/orders", Fragments.Ann, "open");
        var cursor = list.Seal("next-20");

        Assert.Equal(cursor, (await List("web/orders", Fragments.Ann, "open")).Seal("next-20"));
        Assert.Equal("next-20", await list.Open(cursor));
        Assert.DoesNotContain("next", cursor, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_start_and_the_end_of_a_list_have_no_cursor()
    {
        var list = await List("web/orders", Fragments.Ann);

        Assert.Null(list.Seal(null));
        Assert.Null(list.Seal(""));
        Assert.Null(await list.Open((string?)null));
    }

    [Fact]
    public async Task A_cursor_is_valid_only_for_its_list_and_caller()
    {
        var cursor = (await List("web/orders", Fragments.Ann, "open")).Seal("next-20");

        foreach (
            var other in (CursorScope[])
                [
                    await List("web/returns", Fragments.Ann, "open"),
                    await List("web/orders", Of("bob", "acme"), "open"),
                    await List("web/orders", Of("ann", "globex"), "open"),
                    await List("web/orders", Fragments.Ann, "closed"),
                    await List("web/orders", Fragments.Ann),
                    await List("web/orders", Fragments.Ann, "open", null),
                    await new Cursors(_keys, "changes").For("web/orders", Fragments.Ann, "open"),
                ]
        )
        {
            await Refuses(other, cursor!);
        }
    }

    [Fact]
    public async Task A_modified_cursor_is_refused()
    {
        var list = await List("web/orders", Fragments.Ann);
        var cursor = list.Seal("next-20")!;

        await Refuses(list, "");
        await Refuses(list, "next-20");
        await Refuses(list, cursor[..^1]);
        await Refuses(list, cursor + cursor);
        for (var i = 0; i < cursor.Length; i++)
        {
            await Refuses(list, cursor[..i] + (cursor[i] == 'A' ? 'B' : 'A') + cursor[(i + 1)..]);
        }
    }

    private static async Task Refuses(CursorScope list, string cursor) =>
        Assert.Equal("invalid_cursor", (await Assert.ThrowsAsync<ProblemException>(() => list.Open(cursor).AsTask())).Problem.Code.Code);

    private static Caller Of(string subject, string tenant) =>
        new()
        {
            Subject = subject,
            Tenant = tenant,
            Kind = CallerKind.Token,
        };

    private ValueTask<CursorScope> List(string route, Caller caller, params string?[] filter) =>
        new Cursors(_keys).For(route, caller, filter);
}
