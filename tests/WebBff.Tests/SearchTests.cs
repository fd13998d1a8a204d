namespace WebBff.Tests;

public sealed class SearchTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    [Theory]
    [InlineData("")]
    [InlineData("?q=")]
    [InlineData("?q=%20%20")]
    [InlineData("?q=", 201)]
    public async Task A_query_has_one_to_two_hundred_characters(string query, int length = 0)
    {
        var problem = await Problem(await Start().Get("/api/search" + query + new string('a', length)), 400, "validation_failed");

        Assert.NotNull(problem["errors"]!["q"]);
        Assert.Equal(0, Upstream.Search.Calls.Count);
    }

    [Fact]
    public async Task Two_hundred_characters_outside_the_basic_plane_are_two_hundred()
    {
        await Ok(await Start().Get("/api/search?q=" + string.Concat(Enumerable.Repeat("%F0%9F%91%9F", 200))));
    }
}
