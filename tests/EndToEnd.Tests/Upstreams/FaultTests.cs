using System.Diagnostics;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Bff.Dev.Upstreams;
using Bff.Dev.Upstreams.Faults;

namespace Bff.EndToEnd.Upstreams;

/// <summary>Every service simulates every fault and works again afterwards.</summary>
public sealed class FaultTests(Services services) : IClassFixture<Services>
{
    public static TheoryData<string> Names =>
        [
            "users",
            "orders",
            "products",
            "catalog",
            "reviews",
            "inventory",
            "pricing",
            "recommendations",
            "notifications",
            "shipping",
            "search",
            "media",
        ];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_status_comes_with_its_retry_time_and_only_as_often_as_told(string name)
    {
        await services.FaultAsync(name, """{"mode":"status","status":503,"retryAfter":2,"count":1}""");
        using (var failed = await services.AskAsync(name))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, failed.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(2), failed.Headers.RetryAfter?.Delta);
        }
        await HealthyAsync(name);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_reset_fault_resets_the_connection(string name)
    {
        await HealthyAsync(name); // Uses a connection with nothing left to send, because a write into a reset connection fails otherwise.
        await services.FaultAsync(name, """{"mode":"reset"}""");
        var failure = await Assert.ThrowsAsync<HttpRequestException>(() => services.AskAsync(name));
        Assert.Equal(SocketError.ConnectionReset, SocketErrorOf(failure));
        await HealAsync(name);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_reset_in_the_middle_follows_half_of_the_body(string name)
    {
        var real = await BodyAsync(name);
        await services.FaultAsync(name, """{"mode":"reset-mid-body"}""");
        using var answer = await services.AskAsync(name);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var received = new MemoryStream();
        var failure = await Assert.ThrowsAnyAsync<IOException>(async () =>
            await (await answer.Content.ReadAsStreamAsync()).CopyToAsync(received)
        );
        Assert.Equal(SocketError.ConnectionReset, SocketErrorOf(failure));
        Assert.Equal(real[..(real.Length / 2)], received.ToArray());
        await HealAsync(name);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Every_fault_of_a_body_is_simulated(string name)
    {
        var real = await BodyAsync(name);

        await services.FaultAsync(name, """{"mode":"empty"}""");
        Assert.Empty(await BodyAsync(name));

        await services.FaultAsync(name, """{"mode":"truncated"}""");
        Assert.Equal(real[..(real.Length / 2)], await BodyAsync(name));

        await services.FaultAsync(name, """{"mode":"html"}""");
        using (var html = await services.AskAsync(name))
            Assert.Equal("text/html", html.Content.Headers.ContentType?.MediaType);

        await services.FaultAsync(name, """{"mode":"garbage"}""");
        var garbage = await BodyAsync(name);
        Assert.ThrowsAny<Exception>(() => JsonNode.Parse(garbage));

        await services.FaultAsync(name, """{"mode":"wrong-type"}""");
        using (var wrong = await services.AskAsync(name))
        {
            if (name == "media")
                Assert.Equal("text/plain", wrong.Content.Headers.ContentType?.MediaType);
            else
                Assert.NotEqual(real, await wrong.Content.ReadAsByteArrayAsync());
        }

        await services.FaultAsync(name, """{"mode":"oversize"}""");
        using (var over = await services.AskAsync(name))
        {
            Assert.Null(over.Content.Headers.ContentLength);
            var body = await over.Content.ReadAsByteArrayAsync();
            Assert.True(body.Length > 8 * 1024 * 1024);
            if (name is not ("media" or "catalog"))
                Assert.NotNull(JsonNode.Parse(body));
        }
        await HealAsync(name);
    }

    [Fact]
    public async Task A_bomb_is_small_until_it_is_opened()
    {
        await services.FaultAsync("products", """{"mode":"bomb"}""");
        using var answer = await services.AskAsync("products");
        Assert.Equal(["gzip"], answer.Content.Headers.ContentEncoding);
        var bomb = await answer.Content.ReadAsByteArrayAsync();
        Assert.InRange(bomb.Length, 1, 4 * 1024 * 1024);

        using var opened = new GZipStream(new MemoryStream(bomb), CompressionMode.Decompress);
        var (buffer, total) = (new byte[1 << 20], 0L);
        for (int read; (read = await opened.ReadAsync(buffer)) > 0; )
            total += read;
        Assert.InRange(total, 200_000_000, 200_000_100);
        await HealAsync("products");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_hanging_request_is_recorded_as_aborted_when_the_client_gives_up(string name)
    {
        await services.FaultAsync(name, """{"mode":"hang"}""");
        using var giveUp = new CancellationTokenSource();
        var next = services.All[name].Calls.NextAsync();
        var request = services.AskAsync(name, giveUp.Token);
        var call = await next.WaitAsync(Services.WaitLimit);
        Assert.False(call.Ended.IsCompleted);
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        Assert.True(await call.Ended.WaitAsync(Services.WaitLimit));
        await HealAsync(name);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task An_endless_answer_goes_on_until_the_client_leaves(string name)
    {
        await services.FaultAsync(name, """{"mode":"endless","delayMs":5}""");
        var next = services.All[name].Calls.NextAsync();
        using (var answer = await services.AskAsync(name))
        {
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            await (await answer.Content.ReadAsStreamAsync()).ReadExactlyAsync(new byte[300]);
        }
        Assert.True(await (await next.WaitAsync(Services.WaitLimit)).Ended.WaitAsync(Services.WaitLimit));
        await HealAsync(name);
    }

    [Fact]
    public async Task A_delay_is_waited_for_and_a_hold_until_it_is_released()
    {
        await services.FaultAsync("users", """{"mode":"delay","delayMs":150}""");
        var started = Stopwatch.GetTimestamp();
        using (var late = await services.AskAsync("users"))
            Assert.Equal(HttpStatusCode.OK, late.StatusCode);
        Assert.True(Stopwatch.GetElapsedTime(started) >= TimeSpan.FromMilliseconds(140));
        await HealAsync("users");

        var next = services.All.Users.Calls.NextAsync();
        var hold = services.All.Users.Faults.Hold();
        var request = services.AskAsync("users");
        await next.WaitAsync(Services.WaitLimit);
        Assert.False(request.IsCompleted);
        hold.Dispose();
        using var answer = await request;
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task A_fault_stays_on_its_path_and_method()
    {
        await services.FaultAsync("orders", """{"mode":"status","status":500,"path":"/orders/o-5001","method":"GET"}""");
        using var hit = await services.AskAsync("orders");
        Assert.Equal(HttpStatusCode.InternalServerError, hit.StatusCode);
        await services.GetAsync("orders", "/orders/o-5002");
        using var otherMethod = await services.SendAsync("orders", "POST", "/orders/o-5001/cancel");
        Assert.Equal(HttpStatusCode.Conflict, otherMethod.StatusCode);
        await HealAsync("orders");
    }

    [Fact]
    public async Task The_catalogue_fails_with_a_gRPC_status_and_pricing_with_errors_in_a_200()
    {
        services.All.Catalog.Faults.Set(new Fault { Mode = FaultMode.Status, Status = 14 });
        using var unavailable = await services.AskAsync("catalog");
        await unavailable.Content.ReadAsByteArrayAsync();
        Assert.Equal((HttpStatusCode.OK, "14"), (unavailable.StatusCode, unavailable.TrailingHeaders.GetValues("grpc-status").Single()));

        services.All.Pricing.Faults.Set(new Fault { Mode = FaultMode.Status, Status = 200 });
        Assert.NotNull(JsonNode.Parse(await BodyAsync("pricing"))!["errors"]);
        await HealAsync("catalog");
        await HealAsync("pricing");
    }

    [Fact]
    public async Task A_fault_that_cannot_be_read_is_refused()
    {
        using var answer = await services.SendAsync("users", "POST", "/__faults", Services.Json("""{"mode":"sulk"}"""));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        using var nobody = await services.SendAsync("users", "POST", "/__faults?service=nobody", Services.Json("""{"mode":"hang"}"""));
        Assert.Equal(HttpStatusCode.NotFound, nobody.StatusCode);
    }

    [Fact]
    public async Task Calls_are_listed_in_their_order_with_headers_and_body_and_forgotten_on_request()
    {
        await using var own = await SampleServices.StartAsync();
        using var client = new HttpClient { BaseAddress = own.Orders.Address };
        client.DefaultRequestHeaders.Add("X-Request-Id", "r-1");
        using var first = await client.PostAsync(new Uri("/orders?x=1", UriKind.Relative), Services.Json("{}"));
        using var second = await client.GetAsync(new Uri("/orders/o-5001", UriKind.Relative));

        var calls = JsonNode.Parse(await client.GetStringAsync(new Uri("/__calls", UriKind.Relative)))!["calls"]!.AsArray();
        Assert.Equal(
            ["POST /orders?x=1 {}", "GET /orders/o-5001 "],
            calls.Select(c => $"{c!["method"]} {c["path"]}{c["query"]} {c["body"]}")
        );
        Assert.All(calls, call => Assert.Equal("r-1", (string?)call!["headers"]!["x-request-id"]));
        Assert.True((long)calls[0]!["order"]! < (long)calls[1]!["order"]!);
        Assert.Equal("r-1", own.Orders.Calls.All[0].Header("x-request-id"));

        using var cleared = await client.DeleteAsync(new Uri("/__calls", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NoContent, cleared.StatusCode);
        Assert.Empty(own.Orders.Calls.All);
    }

    private async Task<byte[]> BodyAsync(string name)
    {
        using var answer = await services.AskAsync(name);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadAsByteArrayAsync();
    }

    private async Task HealAsync(string name)
    {
        await services.FaultAsync(name, """{"mode":"none"}""");
        await HealthyAsync(name);
    }

    private async Task HealthyAsync(string name) => Assert.NotEmpty(await BodyAsync(name));

    private static SocketError? SocketErrorOf(Exception? failure)
    {
        for (; failure is not null; failure = failure.InnerException)
        {
            if (failure is SocketException socket)
                return socket.SocketErrorCode;
        }
        return null;
    }
}
