using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Bff.Edge;
using Bff.Requests;
using Bff.TestKit;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Edge;

public sealed class BodyTests
{
    [Theory]
    [InlineData("""{"items":[]}""", "reference", "Is required.")]
    [InlineData("""{"reference":"r","items":[{"quantity":1}]}""", "items[0].product_id", "Is required.")]
    [InlineData(
        """{"reference":"r","items":[{"product_id":"p","quantity":1},{"product_id":"p","quantity":"x"}]}""",
        "items[1].quantity",
        "Does not have the expected type."
    )]
    [InlineData("""{"reference":5,"items":[]}""", "reference", "Does not have the expected type.")]
    [InlineData("""{"reference":null,"items":[]}""", "reference", "Does not have the expected type.")]
    public void Invalid_members_are_named_as_in_the_json(string json, string member, string message)
    {
        var body = JsonBody.Parse(Encoding.UTF8.GetBytes(json), EdgeJson.Default.NewOrder);

        Assert.False(body.TryGet(out _, out var problem));
        Assert.Equal(ProblemCodes.ValidationFailed, problem.Code);
        var error = Assert.Single(problem.Errors!);
        Assert.Equal(member, error.Key);
        Assert.Equal([message], error.Value);
    }

    [Fact]
    public void All_missing_members_are_named_at_once()
    {
        Assert.False(JsonBody.Parse("{}"u8.ToArray(), EdgeJson.Default.NewOrder).TryGet(out _, out var problem));

        Assert.Equal(["items", "reference"], problem.Errors!.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_stalled_request_body_is_answered_with_408_after_thirty_seconds()
    {
        var time = new ManualTimeProvider();
        await using var host = await EdgeHost.Start(
            new ConcurrentQueue<string>(),
            null,
            builder => builder.Services.AddSingleton<TimeProvider>(time)
        );

        var answer = RawHttp.Send(
            host.Address,
            "POST /orders HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
            host.Leaks
        );
        while (!answer.IsCompleted)
        {
            time.Advance(RequestBody.IdleTimeout); // The timer exists only once the read has started, so the clock moves repeatedly.
            await Task.Yield();
        }

        Assert.Equal(408, (await answer).Status);
        Assert.Contains("request_timeout", (await answer).Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_below_the_servers_minimum_data_rate_is_answered_with_408()
    {
        await using var host = await EdgeHost.Start(
            new ConcurrentQueue<string>(),
            null,
            builder =>
                builder.WebHost.ConfigureKestrel(kestrel =>
                    kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(1_000_000, TimeSpan.FromSeconds(1.1))
                )
        );

        var answer = await RawHttp.Send(
            host.Address,
            "POST /upload HTTP/1.1\r\nHost: gateway\r\nContent-Length: 100\r\n\r\nabc",
            host.Leaks
        );

        Assert.Equal(408, answer.Status);
        Assert.Contains("request_timeout", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_truncated_body_reaches_no_endpoint_and_the_host_keeps_serving()
    {
        var reached = new ConcurrentQueue<string>();
        await using var host = await EdgeHost.Start(reached);
        using (var client = new System.Net.Sockets.TcpClient())
        {
            await client.ConnectAsync(host.Address.Host, host.Address.Port);
            await client
                .GetStream()
                .WriteAsync(
                    "POST /orders HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"reference\""u8.ToArray()
                );
        }

        using var next = await host.Client.GetAsync("/items/5");

        Assert.True(next.IsSuccessStatusCode);
        Assert.Equal(["GET /items/5"], reached);
    }
}

public sealed class LeakSentinelTests
{
    [Theory]
    [InlineData("   at Bff.Edge.ProblemWriter.Write(HttpContext context)")]
    [InlineData("ProblemWriter.cs:line 12")]
    [InlineData("System.InvalidOperationException: no")]
    [InlineData("connect to 127.0.0.1:9001 refused")]
    [InlineData("Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1In0.c2ln")]
    [InlineData("pk_live_0123456789abcdef0123456789abcdef012345")]
    [InlineData("the pepper is hunter2")]
    public void A_secret_in_an_error_body_is_found(string text)
    {
        var sentinel = new LeakSentinel();
        sentinel.Forbid("hunter2");

        sentinel.CheckErrorBody("test", text);

        Assert.NotEmpty(sentinel.Leaks);
        Assert.Throws<InvalidOperationException>(sentinel.Verify);
    }

    [Theory]
    [InlineData("session 0123456789abcdef refused")]
    [InlineData("key 'an-opaque-api-key-of-somebody'")]
    [InlineData("cookie fedcba9876543210")]
    [InlineData("GET /bff/callback?code=code-of-sixteen-or-more")]
    [InlineData("signed with pepper-in-configuration")]
    public void A_secret_from_a_request_or_the_configuration_is_found_in_a_log_line(string line)
    {
        var sentinel = new LeakSentinel();
        sentinel.ForbidHeader("Set-Cookie", "bff=0123456789abcdef; path=/");
        sentinel.ForbidHeader("X-API-Key", "an-opaque-api-key-of-somebody");
        sentinel.ForbidHeader("cookie", "a=b; bff=fedcba9876543210");
        sentinel.ForbidParameters("?state=x&code=code-of-sixteen-or-more");
        sentinel.Configured([new("ApiKeys:Pepper", "pepper-in-configuration")]);

        sentinel.CheckLog("test", line);

        Assert.Throws<InvalidOperationException>(sentinel.Verify);
    }

    [Fact]
    public void An_ordinary_problem_is_not_reported_as_a_leak()
    {
        var sentinel = new LeakSentinel();
        sentinel.Own(8081);

        sentinel.CheckErrorBody(
            "test",
            """{"type":"http://127.0.0.1:8081/problems/not_found","title":"Not found","detail":"Nothing is at that address."}"""
        );

        sentinel.Verify();
    }
}
