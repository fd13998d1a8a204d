using System.Net.Http.Headers;
using System.Text;
using Microsoft.Extensions.DependencyInjection;

namespace MobileBff.Tests.Orders;

public sealed class PlaceOrderTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    private const string Body = """{"currency":"EUR","items":[{"productId":"p-1","quantity":2}]}""";

    [Fact]
    public async Task An_order_is_placed_once_and_answered_as_its_service_answers()
    {
        var host = Start();

        var response = await Place(host, Body);

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        var order = await Json(response);
        Assert.Equal($"/orders/{order["id"]}", response.Headers.Location!.ToString());
        var call = Assert.Single(Upstream.Orders.Calls.All);
        Assert.Equal(("POST", "/orders", Body, "u-1001"), (call.Method, call.Path, call.BodyText, call.Header("X-User-Id")));
        Assert.Null(call.Header("Authorization"));
    }

    [Theory]
    [InlineData(FaultMode.Status, 502)]
    [InlineData(FaultMode.Reset, 502)]
    [InlineData(FaultMode.Hang, 504)]
    public async Task An_order_without_a_key_is_sent_only_once_when_the_service_fails(FaultMode mode, int status)
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        var host = Start(services: mode == FaultMode.Hang ? s => s.AddSingleton<TimeProvider>(clock) : null);
        await Ok(await host.Get("/orders")); // Opens a connection that is kept alive.
        Upstream.Orders.Calls.Clear();
        Upstream.Orders.Faults.Set(mode);

        var placed = Place(host, Body);
        await Upstream.Orders.Calls.ReachAsync(1).WaitAsync(WaitLimit);
        clock.Advance(TimeSpan.FromSeconds(40)); // Longer than an attempt may take, shorter than the request may.
        var response = await placed;

        await Problem(response, status, status == 502 ? "upstream_failed" : "upstream_timeout");
        Assert.Equal(1, Upstream.Orders.Calls.Count);
    }

    [Fact]
    public async Task A_domain_refusal_of_the_service_passes_through()
    {
        var response = await Place(Start(), """{"items":[{"productId":"p-none","quantity":1}]}""");

        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.Contains("p-none", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_repeat_under_the_same_key_gets_the_stored_answer_and_other_callers_do_not()
    {
        var host = Start();

        var first = await Place(host, Body, "key-1");
        var again = await Place(host, Body, "key-1");
        var other = await Place(host, Body, "key-1", "u-1002");
        var mismatch = await Place(host, Body.Replace("2", "3", StringComparison.Ordinal), "key-1");

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Created), (first.StatusCode, again.StatusCode));
        Assert.Equal(await first.Content.ReadAsStringAsync(), await again.Content.ReadAsStringAsync());
        Assert.Equal("true", again.Headers.GetValues("Idempotent-Replayed").Single());
        Assert.False(first.Headers.Contains("Idempotent-Replayed"));
        Assert.NotEqual((string?)(await Json(first))["id"], (string?)(await Json(other))["id"]);
        await Problem(mismatch, 422, "idempotency_mismatch");
        Assert.Equal(2, Upstream.Orders.Calls.Count);
        Assert.All(Upstream.Orders.Calls.All, c => Assert.Equal("key-1", c.Header("Idempotency-Key")));
    }

    [Fact]
    public async Task A_keyed_order_is_repeated_when_the_service_breaks()
    {
        var host = Start();
        Upstream.Orders.Faults.Set(new Fault { Mode = FaultMode.Reset, Count = 1 });

        Assert.Equal(HttpStatusCode.Created, (await Place(host, Body, "key-2")).StatusCode);

        Assert.Equal(2, Upstream.Orders.Calls.Count);
    }

    private static Task<HttpResponseMessage> Place(MobileHost host, string body, string? key = null, string user = "u-1001")
    {
        var request = host.Request(HttpMethod.Post, "/orders", user);
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body))
        {
            Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
        };
        if (key is not null)
        {
            request.Headers.Add("Idempotency-Key", key);
        }

        return host.Client.SendAsync(request);
    }
}
