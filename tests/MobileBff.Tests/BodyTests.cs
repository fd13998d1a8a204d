using Bff.TestKit.Failures;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace MobileBff.Tests;

/// <summary>A client's faulty body is not counted against a service, and an edit of a route's limit takes effect.</summary>
public sealed class BodyTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    private const string Order = """{"items":[{"productId":"p-1","quantity":1}]}""";

    /// <summary>The client pauses in the middle for longer than an attempt may take.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("Idempotency-Key: slow-1\r\n")]
    public async Task An_order_is_placed_when_the_client_pauses_longer_than_the_service_may_take(string key)
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var orders = await TestHost.Start(
            _ => { },
            app =>
                app.Run(async context =>
                {
                    while (await context.Request.Body.ReadAsync(new byte[1000]) > 0)
                    {
                        begun.TrySetResult();
                    }

                    context.Response.StatusCode = HttpMethods.IsPost(context.Request.Method)
                        ? StatusCodes.Status201Created
                        : StatusCodes.Status404NotFound;
                })
        );
        var time = new ManualTimeProvider(DateTimeOffset.UtcNow);
        var host = Start(
            new()
            {
                ["Kestrel:Limits:MinRequestBodyDataRate:BytesPerSecond"] = "0", // A slow machine must not look like a slow client.
                ["Upstreams:orders:Address"] = orders.Address.ToString(),
                ["Upstreams:orders:Timeout"] = "00:00:01",
                ["Upstreams:orders:MaxConcurrency"] = "1",
                ["Upstreams:orders:MaxQueue"] = "0",
            },
            all => all.AddSingleton<TimeProvider>(time)
        );
        var body = Order.PadRight(200);
        using var client = await RawSender.Start(
            host.Address,
            $"POST /orders HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nAuthorization: Bearer {Surroundings.Token()}\r\n{key}"
                + $"Content-Length: 200\r\n\r\n{body[..100]}"
        );
        if (key.Length == 0)
        {
            await begun.Task.WaitAsync(WaitLimit);
        }

        await Eventually.True(async () =>
        {
            using var others = await host.Get("/orders", "u-1002");
            return others.StatusCode != HttpStatusCode.ServiceUnavailable; // The only slot is free, so the gateway waits for the client.
        });
        time.Advance(TimeSpan.FromSeconds(2));
        await client.Send(body[100..]);

        var answer = await client.Answer();
        Assert.True(answer.Status == 201, $"{answer.Status}: {answer.Text}");
    }

    [Fact]
    public async Task Stalled_bodies_hold_no_slot_that_another_request_needs()
    {
        var host = Start(new() { ["Upstreams:orders:MaxConcurrency"] = "2", ["Upstreams:orders:MaxQueue"] = "0" });
        var stalled = new List<RawSender>();
        try
        {
            for (var i = 0; i < 14; i++)
            {
                stalled.Add(
                    await RawSender.Start(
                        host.Address,
                        $"POST /orders HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nAuthorization: Bearer {Surroundings.Token()}\r\n"
                            + $"Content-Length: 200\r\n\r\n{Order}"
                    )
                );
            }

            // Each of them takes a slot while its first part is forwarded; after that all slots are free.
            await Eventually.True(async () =>
            {
                for (var i = 0; i < 5; i++)
                {
                    using var orders = await host.Get("/orders", "u-1002");
                    if (orders.StatusCode != HttpStatusCode.OK)
                    {
                        return false;
                    }
                }

                return true;
            });
        }
        finally
        {
            stalled.ForEach(s => s.Dispose());
        }
    }

    [Fact]
    public async Task An_edit_of_only_a_routes_limit_takes_effect()
    {
        var host = Start(
            new()
            {
                ["ReverseProxy:Routes:through:ClusterId"] = "orders",
                ["ReverseProxy:Routes:through:Match:Path"] = "/through",
                ["ReverseProxy:Routes:through:Metadata:Scope"] = "api",
                ["ReverseProxy:Routes:through:Transforms:0:PathSet"] = "/orders",
                ["ReverseProxy:Routes:through:MaxRequestBodySize"] = "50",
            }
        );
        Assert.Equal(413, await Post());

        host.Configure(("ReverseProxy:Routes:through:MaxRequestBodySize", "100"));
        await Eventually.True(async () => await Post() == 201);

        host.Configure(("ReverseProxy:Routes:through:MaxRequestBodySize", "99"));
        await Eventually.True(async () => await Post() == 413);

        async Task<int> Post()
        {
            using var request = host.Request(HttpMethod.Post, "/through");
            request.Content = new StringContent(Order.PadRight(100), new System.Net.Http.Headers.MediaTypeHeaderValue("application/json"));
            using var answer = await host.Client.SendAsync(request);
            return (int)answer.StatusCode;
        }
    }

    [Fact]
    public async Task A_sender_below_the_configured_rate_gets_408()
    {
        var host = Start(
            new()
            {
                ["Kestrel:Limits:MinRequestBodyDataRate:BytesPerSecond"] = "1000000",
                ["Kestrel:Limits:MinRequestBodyDataRate:GracePeriod"] = "00:00:01.100",
                ["Upstreams:orders:Breaker:MinimumThroughput"] = "2",
                ["Upstreams:orders:Breaker:FailureRatio"] = "0.01",
            }
        );
        foreach (var key in (string[])["", "", "", "Idempotency-Key: slow-2\r\n"])
        {
            using var client = await RawSender.Start(
                host.Address,
                $"POST /orders HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nAuthorization: Bearer {Surroundings.Token()}\r\n{key}"
                    + $"Content-Length: 200\r\n\r\n{Order}"
            );

            var answer = await client.Answer();

            Assert.True(answer.Status == 408, $"{answer.Status}: {answer.Text}");
        }

        using var orders = await host.Get("/orders");
        Assert.Equal(HttpStatusCode.OK, orders.StatusCode);
        Assert.DoesNotContain(host.Log.Entries, e => e.Level >= LogLevel.Error);
    }
}
