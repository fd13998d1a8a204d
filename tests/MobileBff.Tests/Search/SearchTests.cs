namespace MobileBff.Tests.Search;

public sealed class SearchTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    [Fact]
    public async Task Products_are_found()
    {
        var found = await Ok(await Start().Get("/search?q=shoe&limit=3"));

        Assert.Equal(["items", "total"], found.Select(m => m.Key));
        Assert.InRange(found["items"]!.AsArray().Count, 1, 3);
        Assert.True((int)found["total"]! >= found["items"]!.AsArray().Count);
        Assert.Equal(["id", "name", "price", "currency", "thumb"], found["items"]![0]!.AsObject().Select(m => m.Key));
    }

    [Theory]
    [InlineData("")]
    [InlineData("?q=")]
    [InlineData("?q=%20%20")]
    [InlineData("?q=", 201)]
    public async Task A_query_has_one_to_two_hundred_characters(string query, int length = 0)
    {
        var problem = await Problem(await Start().Get("/search" + query + new string('a', length)), 400, "validation_failed");

        Assert.NotNull(problem["errors"]!["q"]);
        Assert.Equal(0, Upstream.Search.Calls.Count);
    }

    [Theory]
    [InlineData("/search?q=a&q=b", "q")]
    [InlineData("/orders?limit=5&limit=", "limit")]
    [InlineData("/sync?since=&since=", "since")]
    [InlineData("/images/p-1.jpg?w=160&w=", "w")]
    public async Task A_parameter_that_is_one_text_is_given_once(string path, string name)
    {
        var problem = await Problem(await Start().Get(path), 400, "validation_failed");

        Assert.Equal("Must be given once.", (string?)problem["errors"]![name]![0]);
    }

    [Fact]
    public async Task Two_hundred_characters_outside_the_basic_plane_are_two_hundred()
    {
        await Ok(await Start().Get("/search?q=" + string.Concat(Enumerable.Repeat("%F0%9F%91%9F", 200))));
    }

    [Fact]
    public async Task A_slow_search_is_hedged_and_the_slower_call_is_cancelled()
    {
        var host = Start();
        Upstream.Search.Faults.Set(new Fault { Mode = FaultMode.Hang, Count = 1 });

        await Ok(await host.Get("/search?q=shoe"));

        // The fault hits whichever of the two calls arrives first.
        Assert.Equal(2, Upstream.Search.Calls.Count);
        Assert.Single(await Task.WhenAll(Upstream.Search.Calls.All.Select(c => c.Ended)).WaitAsync(WaitLimit), isCancelled => isCancelled);
    }
}
