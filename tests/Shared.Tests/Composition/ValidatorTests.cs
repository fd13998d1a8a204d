using System.Net;
using Bff.Caching;
using Bff.Composition;
using Bff.Requests;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using static Bff.Composition.Durations;

namespace Bff.Shared.Tests.Composition;

/// <summary>Tests the validators of composed answers: ETag, Last-Modified and Cache-Control.</summary>
public sealed class ValidatorTests : IAsyncLifetime
{
    private const string LastModified = "Thu, 01 Jan 2026 00:00:00 GMT";
    private RecipeBench _bench = null!;

    public async Task InitializeAsync()
    {
        _bench = await RecipeBench.Start(app =>
        {
            app.MapGet("/kept/{id}", Kept).Named("kept").AllowAnonymous();
            app.MapGet("/mixed/{id}", Mixed).Named("mixed").AllowAnonymous().PubliclyCacheable(60);
        });
        _bench.Says("GET /profiles/c-1", """{"name":"Ann"}""", 200, ("ETag", "\"v1\""), ("Last-Modified", LastModified));
        _bench.Says("PUT /profiles/c-1", """{"name":"Al"}""", 200, ("ETag", "\"v2\""));
        _bench.Says("GET /products", """{"items":[{"id":"p-1"}]}""");
        _bench.Says("GET /products/c-1", """{"id":"p-1"}""");
    }

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Theory]
    [InlineData(null, null, 200)]
    [InlineData("\"v1\"", null, 304)]
    [InlineData("\"v0\", W/\"v1\"", null, 304)]
    [InlineData("*", null, 304)]
    [InlineData("\"v0\"", null, 200)]
    [InlineData("\"v0\"", LastModified, 200)]
    [InlineData(null, LastModified, 304)]
    [InlineData(null, "Wed, 31 Dec 2025 23:59:59 GMT", 200)]
    [InlineData(null, "yesterday", 200)]
    public async Task A_client_with_the_services_current_version_gets_304(string? tag, string? since, int status)
    {
        var (answer, document) = await _bench.Send(
            HttpMethod.Get,
            "/account/c-1",
            [
                .. tag is null ? [] : (IEnumerable<(string, string)>)[("If-None-Match", tag)],
                .. since is null ? [] : (IEnumerable<(string, string)>)[("If-Modified-Since", since)],
            ]
        );

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("\"v1\"", answer.Headers.GetValues("ETag").Single());
        Assert.Equal(
            "private, no-cache",
            answer.Headers.CacheControl!.ToString().Replace("no-cache, private", "private, no-cache", StringComparison.Ordinal)
        );
        Assert.Equal(status == 200, document is not null);
        Assert.Null(document?["_meta"]);
    }

    [Theory]
    [InlineData("\"v1\"", "\"v1\"")]
    [InlineData("W/\"v1\"", "\"v1\"")]
    [InlineData("W/\"v1\", \"W/\", W/\"a,b\"", "\"v1\", \"W/\", \"a,b\"")]
    [InlineData("*", "*")]
    public async Task A_change_sends_the_service_its_own_entity_tag(string sent, string arrives)
    {
        var answer = await Change(sent);

        Assert.Equal((HttpStatusCode.OK, "\"v2\""), (answer.StatusCode, answer.Headers.GetValues("ETag").Single()));
        Assert.Equal(arrives, _bench.Header("PUT /profiles/c-1", "If-Match"));
    }

    [Fact]
    public async Task A_stale_change_is_refused_by_the_service_and_one_without_If_Match_by_the_gateway()
    {
        _bench.Says("PUT /profiles/c-1", """{"title":"Changed meanwhile"}""", 412);
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await Change("\"v0\"")).StatusCode);

        var asked = _bench.Asked.Count;
        Assert.Equal(428, (int)(await Change(null)).StatusCode);
        Assert.Equal(asked, _bench.Asked.Count);
    }

    [Fact]
    public async Task A_cached_part_keeps_its_validators()
    {
        for (var i = 0; i < 2; i++)
        {
            var (answer, _) = await _bench.Send(HttpMethod.Get, "/kept/c-1");
            Assert.Equal("\"v1\"", answer.Headers.GetValues("ETag").Single());
            Assert.Equal(LastModified, answer.Content.Headers.GetValues("Last-Modified").Single());
        }

        Assert.Single(_bench.Asked);
    }

    [Fact]
    public async Task A_public_answer_may_be_stored_by_every_cache()
    {
        var (answer, _) = await _bench.Send(HttpMethod.Get, "/bestsellers");
        Assert.Equal((true, TimeSpan.FromSeconds(60)), (answer.Headers.CacheControl!.Public, answer.Headers.CacheControl.MaxAge));

        var (again, _) = await _bench.Send(HttpMethod.Get, "/bestsellers", ("If-None-Match", answer.Headers.GetValues("ETag").Single()));
        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
        Assert.True(again.Headers.CacheControl!.Public);
    }

    [Fact]
    public async Task An_answer_with_a_part_of_the_caller_is_private()
    {
        var (answer, _) = await _bench.Send(HttpMethod.Get, "/mixed/c-1");

        Assert.Equal(
            (HttpStatusCode.OK, false, true),
            (answer.StatusCode, answer.Headers.CacheControl!.Public, answer.Headers.CacheControl.Private)
        );
    }

    [Fact]
    public async Task A_degraded_answer_must_not_be_stored()
    {
        _bench.Says("GET /products/c-1", "{}", 500);

        Assert.True((await _bench.Send(HttpMethod.Get, "/mixed/c-1")).Answer.Headers.CacheControl!.NoStore);
    }

    [Fact]
    public async Task An_endpoint_with_contradictory_metadata_stops_the_host_and_is_named()
    {
        Assert.Contains(
            "'guarded' is PubliclyCacheable and not anonymous",
            await Stops(app => app.MapGet("/guarded", Recipes.Bestsellers).Named("guarded").RequireScope("api").PubliclyCacheable(60)),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "'writes' is PubliclyCacheable and does not only read",
            await Stops(app => app.MapPost("/writes", Recipes.Bestsellers).Named("writes").AllowAnonymous().PubliclyCacheable(60)),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "'plain' is PubliclyCacheable and gives no Composed answer",
            await Stops(app => app.MapGet("/plain", () => "text").Named("plain").AllowAnonymous().PubliclyCacheable(60)),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "'made' reads (GET) and answers that it has made something",
            await Stops(app => app.MapGet("/made", Recipes.Checkout).Named("made").AllowAnonymous()),
            StringComparison.Ordinal
        );
    }

    private static async Task<string> Stops(Action<WebApplication> map) =>
        (await Assert.ThrowsAsync<InvalidOperationException>(() => RecipeBench.Start(map))).Message;

    private async Task<HttpResponseMessage> Change(string? ifMatch)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, "/account/c-1")
        {
            Content = new StringContent("""{"name":"Al"}""", null, "application/json"),
        };
        if (ifMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", ifMatch);
        }

        return await _bench.Gateway.Client.SendAsync(request);
    }

    private static async Task<Composed<Account>> Kept(string id, Composer composer, IShop shop)
    {
        var account = composer
            .Required("account", shop.Account(id))
            .Cached(CacheScope.Public, "account:" + id, fresh: Seconds(60), stale: Minutes(10));
        return (await composer.Compose(() => account.Value, RecipeJson.Default.Account)).ValidatedBy(account);
    }

    private static Task<Composed<BasketView>> Mixed(string id, Composer composer, IShop shop)
    {
        var products = composer
            .Required("products", shop.Products([id]))
            .Cached(CacheScope.Public, "mixed", fresh: Seconds(60), stale: Minutes(10));
        composer.Optional("own", shop.Product(id));
        return composer.Compose(() => new BasketView(products.Value.All.Count), RecipeJson.Default.BasketView);
    }
}
