using System.Net.Http.Headers;
using System.Text;

namespace MobileBff.Tests.Products;

public sealed class InvalidationTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    private static readonly Dictionary<string, string?> Caching = new()
    {
        ["Composition:product:product:Fresh"] = "01:00:00",
        ["Composition:product:pricing:Fresh"] = "01:00:00",
    };

    [Theory]
    [InlineData("""{"tags":[]}""", 400, "validation_failed")]
    [InlineData("{}", 400, "validation_failed")]
    [InlineData("""{"tags":[""]}""", 400, "validation_failed")]
    [InlineData("""{"tags":[null]}""", 400, "validation_failed")]
    [InlineData("""{"tags":[1]}""", 400, "validation_failed")]
    [InlineData("""{"tags":"pricing:p-1"}""", 400, "validation_failed")]
    [InlineData("""{"tags":["a"],"tags":["pricing:p-1"]}""", 400, "malformed_request")]
    [InlineData("""["pricing:p-1"]""", 400, "malformed_request")]
    [InlineData("null", 400, "malformed_request")]
    [InlineData("{", 400, "malformed_request")]
    [InlineData("""{"tags":["pricing:p-1"]}""", 415, "unsupported_media_type", "text/plain")]
    public async Task A_body_that_names_no_tags_invalidates_nothing(string body, int status, string code, string type = "application/json")
    {
        var host = Start(Caching);
        await Ok(await host.Get("/products/p-1", user: null));

        var problem = await Problem(await Invalidate(host, body, type), status, code);

        Assert.Equal(code == "validation_failed", problem["errors"] is not null);
        await Ok(await host.Get("/products/p-1", user: null));
        Assert.Equal(1, Upstream.Pricing.Calls.Count);
    }

    [Fact]
    public async Task A_tag_invalidates_only_the_entries_that_have_it()
    {
        var host = Start(Caching);
        await Ok(await host.Get("/products/p-1", user: null));

        using var answer = await Invalidate(host, """{"tags":["pricing:p-1","pricing:p-none"]}""");
        await Ok(await host.Get("/products/p-1", user: null));

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal((1, 2), (Upstream.Products.Calls.Count, Upstream.Pricing.Calls.Count));
    }

    [Fact]
    public async Task A_read_after_an_invalidation_does_not_join_an_earlier_read()
    {
        var host = Start(new(Caching) { ["Upstreams:pricing:Retries"] = "0" }); // A retry would count as the second call.
        using var held = Upstream.Pricing.Faults.Hold();
        var before = host.Get("/products/p-1");
        await Upstream.Pricing.Calls.ReachAsync(1).WaitAsync(WaitLimit);

        using var answer = await Invalidate(host, """{"tags":["pricing:p-1"]}""");
        var after = host.Get("/products/p-1");
        // If this read joined the first call, the second call would never come, and the old price would be cached for all callers.
        await Upstream.Pricing.Calls.ReachAsync(2).WaitAsync(WaitLimit);
        held.Dispose();

        await Ok(await before);
        await Ok(await after);
        await Ok(await host.Get("/products/p-1", user: null));
        Assert.Equal(2, Upstream.Pricing.Calls.Count);
    }

    private Task<HttpResponseMessage> Invalidate(MobileHost host, string body, string type = "application/json")
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/internal/cache/invalidate")
        {
            Content = new StringContent(body, Encoding.UTF8, type),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Surroundings.Token("operator", "cache.invalidate"));
        return host.Client.SendAsync(request);
    }
}
