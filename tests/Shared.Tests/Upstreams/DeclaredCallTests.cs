using System.Text.Json;
using Bff.Dev.Upstreams.Faults;
using Bff.Upstreams;
using Refit;
using static Bff.Shared.Tests.Upstreams.UpstreamBench;

namespace Bff.Shared.Tests.Upstreams;

public sealed record SampleOrder(string Reference);

public interface ISample
{
    [Get("/users/{userId}/orders")]
    UpstreamCall<JsonElement> Orders(
        string userId,
        int limit,
        string? cursor = null,
        [Query(CollectionFormat.Csv)] IEnumerable<string>? ids = null
    );

    [Get("/users/{userId}")]
    UpstreamCall<JsonElement> User(string userId, [Header("Accept-Language")] string? language = null);

    [Post("/orders")]
    UpstreamWrite<JsonElement> Place([Body] SampleOrder order, [Header("Idempotency-Key")] string? key = null);

    [Post("/any")]
    UpstreamWrite<NoContent> Any();

    [Patch("/users/{userId}")]
    UpstreamWrite<NoContent> Change(string userId, [Body] WrittenJson patch);
}

/// <summary>Tests of the requests that a typed client's declarations become.</summary>
public sealed class DeclaredCallTests
{
    [Fact]
    public async Task A_call_is_sent_only_when_it_is_made()
    {
        await using var bench = await StartAsync();
        var users = Sample(bench, "users");

        var call = users.User("u-1001");
        Assert.Equal(0, bench.Services.Users.Calls.Count);

        Assert.True((await call.Make(bench.Call())).IsOk);
        Assert.True((await call.Make(bench.Call())).IsOk); // A cache that renews an entry makes the call again.
        Assert.Equal(2, bench.Services.Users.Calls.Count);
    }

    [Theory]
    [InlineData(null, null, "/users/u-1001/orders?limit=7")]
    [InlineData("a b&c=d#é", null, "/users/u-1001/orders?limit=7&cursor=a%20b%26c%3Dd%23%C3%A9")]
    [InlineData("", "p-1,p&2", "/users/u-1001/orders?limit=7&cursor=&ids=p-1%2Cp%262")]
    public async Task A_query_has_its_values_escaped_and_leaves_out_what_is_null(string? cursor, string? ids, string expected)
    {
        await using var bench = await StartAsync();

        await Sample(bench, "orders").Orders("u-1001", 7, cursor, ids?.Split(',')).Make(bench.Call());

        var call = bench.Services.Orders.Calls.All.Single();
        Assert.Equal(expected, call.Path + call.Query);
    }

    [Fact]
    public async Task A_write_has_its_json_and_its_key_and_is_repeated_only_with_a_key()
    {
        await using var bench = await StartAsync(null, ("Upstreams:orders:Retries", "1"));
        bench.Services.Orders.Faults.Set(new Fault { Mode = FaultMode.Reset, Count = 1 });
        await Sample(bench, "orders").Place(new("po-1"), "key-1").Call.Make(bench.Call(User("u-1001", "acme")));

        var calls = bench.Services.Orders.Calls.All;
        Assert.Equal(["key-1", "key-1"], calls.Select(c => c.Header("Idempotency-Key")));
        Assert.All(calls, c => Assert.Equal("application/json", c.Header("Content-Type")));
        Assert.All(calls, c => Assert.Equal("""{"reference":"po-1"}""", c.BodyText));

        bench.Services.Orders.Faults.Set(new Fault { Mode = FaultMode.Reset, Count = 1 });
        Assert.Equal(
            UpstreamOutcome.Failed,
            (await Sample(bench, "orders").Place(new("po-2")).Call.Make(bench.Call(User("u-1001", "acme")))).Outcome
        );
        Assert.Equal(3, bench.Services.Orders.Calls.Count);
    }

    [Fact]
    public async Task Json_that_is_already_written_is_sent_as_it_is_and_the_answer_needs_no_document()
    {
        await using var bench = await StartAsync();

        var answer = await Sample(bench, "users")
            .Change("u-1001", new("""{"name":"Al"}"""u8.ToArray()))
            .Call.Make(bench.Call(User("u-1001")));

        Assert.True(answer.IsOk);
        Assert.Equal("""{"name":"Al"}""", bench.Services.Users.Calls.All.Single().BodyText);
    }

    [Fact]
    public async Task Reads_with_different_headers_are_not_shared()
    {
        await using var bench = await StartAsync();
        var users = Sample(bench, "users");
        using var held = bench.Services.Users.Faults.Hold();

        var reads = ((string[])["en", "fr", "en"]).Select(l => users.User("u-1001", l).Make(bench.Call(User("u-1001"))).AsTask()).ToList();
        await bench.Services.Users.Calls.ReachAsync(2).WaitAsync(WaitLimit);
        held.Dispose();

        Assert.All(await Task.WhenAll(reads), a => Assert.True(a.IsOk));
        Assert.Equal(["en", "fr"], bench.Services.Users.Calls.All.Select(c => c.Header("Accept-Language")).Order());
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("\ud800")]
    public async Task A_value_that_would_change_the_path_is_not_found(string value)
    {
        await using var bench = await StartAsync();

        var answer = await Sample(bench, "users").User(value).Make(bench.Call());

        Assert.Equal((UpstreamOutcome.NotFound, 404), (answer.Outcome, answer.Status));
        Assert.Equal(0, bench.Services.Users.Calls.Count);
    }

    private static ISample Sample(UpstreamBench bench, string name) => UpstreamsRegistration.Generated<ISample>(bench.Client(name));
}
