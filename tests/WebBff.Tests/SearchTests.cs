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

    /// <summary>The framework makes one text of them, which is what nobody has asked for.</summary>
    [Theory]
    [InlineData("/api/search?q=a&q=b", "q")]
    [InlineData("/api/search?q=a&Q=", "q")]
    [InlineData("/api/products?limit=5&limit=", "limit")]
    [InlineData("/api/products?category=shoes&category=hats", "category")]
    [InlineData("/api/products/p-1/reviews?limit=5&limit=6", "limit")]
    [InlineData("/api/orders?cursor=&cursor=", "cursor")]
    public async Task A_parameter_that_is_one_text_is_given_once(string path, string name)
    {
        var problem = await Problem(await Start().Get(path), 400, "validation_failed");

        Assert.Equal("Must be given once.", (string?)problem["errors"]![name]![0]);
    }

    [Fact]
    public async Task A_list_may_be_given_in_pieces()
    {
        var page = await Ok(await Start().Get("/api/products/p-1?include=pricing&include=inventory"));

        Assert.NotNull(page["pricing"]);
        Assert.NotNull(page["inventory"]);
        Assert.Null(page["reviews"]);
    }

    [Fact]
    public async Task Two_hundred_characters_outside_the_basic_plane_are_two_hundred()
    {
        await Ok(await Start().Get("/api/search?q=" + string.Concat(Enumerable.Repeat("%F0%9F%91%9F", 200))));
    }
}
