using System.Text;
using Bff.Observability;
using Microsoft.Extensions.DependencyInjection;

namespace MobileBff.Tests.Progressive;

/// <summary>Progressive answers begin when their required parts have arrived, and continue as the others arrive.</summary>
public sealed class ProgressiveAnswerTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    /// <summary>Every composition with optional parts, and the services behind these parts in their order of arrival.</summary>
    public static TheoryData<string, string> Endpoints =>
        new()
        {
            { "/home-feed", "orders,recommendations,notifications" },
            { "/home-feed", "notifications,recommendations,orders" },
            { "/orders/o-6801", "shipping" },
            { "/products/p-1", "pricing,reviews,inventory" },
            { "/products/p-2", "inventory,pricing,reviews" },
            { "/sync", "notifications" },
        };

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task The_lines_make_the_plain_answer(string path, string services)
    {
        var host = Start();
        var order = services.Split(',');
        var held = order.ToDictionary(s => s, s => Upstream[s].Faults.Hold());

        using var answer = await Ask(host, path);
        Assert.True(await answer.Next());
        var first = answer.Lines[0];
        Assert.Equal(order.Order(), answer.Pending.Order());
        foreach (var service in order)
        {
            held[service].Dispose();
            await answer.Until(service);
        }

        Assert.False(await answer.Next());
        Assert.InRange(answer.Lines.Count, 2, 1 + order.Length);
        Assert.Empty(answer.Pending);
        Assert.Equal(Essence(await Ok(await host.Get(path))), Essence(answer.Answer));
        Assert.DoesNotContain("degraded", answer.Answer["_meta"]!.AsObject().Select(m => m.Key));
        Assert.Equal(1, (int)first["_meta"]!["servicesCalled"]!);
    }

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task A_part_that_fails_later_is_named_as_in_the_plain_answer(string path, string services)
    {
        var host = Start();
        var order = services.Split(',');
        var released = order.ToDictionary(s => s, _ => new TaskCompletionSource());
        foreach (var service in order)
        {
            Upstream[service].Faults.Set(new Fault { Mode = FaultMode.Garbage, Until = released[service].Task });
        }

        using var answer = await Ask(host, path);
        Assert.True(await answer.Next());
        foreach (var service in order)
        {
            released[service].SetResult();
            await answer.Until(service);
        }

        Assert.False(await answer.Next());
        Assert.Equal(order.Order(), answer.Answer["_meta"]!["degraded"]!.AsObject().Select(d => d.Key).Order());
        Assert.All(answer.Answer["_meta"]!["degraded"]!.AsObject(), d => Assert.Equal("failed", (string?)d.Value));
        Assert.Equal(Essence(await Ok(await host.Get(path))), Essence(answer.Answer));
    }

    [Theory]
    [InlineData("/home-feed")]
    [InlineData("/orders")]
    [InlineData("/orders/o-6801")]
    [InlineData("/products/p-1")]
    [InlineData("/search?q=shoe")]
    [InlineData("/sync")]
    [InlineData("/me")]
    public async Task An_answer_whose_parts_come_at_once_is_one_line(string path)
    {
        var host = Start(Gathering("home-feed", "order", "product", "sync"));
        var plain = await host.Get(path);

        using var answer = await Ask(host, path);
        await answer.All();

        Assert.Single(answer.Lines);
        Assert.Equal(Essence(await Ok(plain)), Essence(answer.Answer));
        Assert.Equal("application/x-ndjson", answer.Response.Content.Headers.ContentType!.ToString());
        Assert.NotNull(answer.Response.Content.Headers.ContentLength);
        Assert.Equal(plain.Headers.CacheControl!.ToString(), answer.Response.Headers.CacheControl!.ToString());
        Assert.Equal(plain.Headers.ETag, answer.Response.Headers.ETag);
    }

    [Fact]
    public async Task A_stream_is_not_cacheable_and_a_whole_answer_is_as_cacheable_as_the_plain_one()
    {
        var host = Start(Gathering("order"));
        using (Upstream.Shipping.Faults.Hold())
        {
            host.Configure(("Composition:order:FirstAfter", "00:00:00"));
            using var begun = await Ask(host, "/orders/o-6801");
            Assert.True(await begun.Next());
            Assert.Equal("no-store", begun.Response.Headers.CacheControl!.ToString());
            Assert.Null(begun.Response.Headers.ETag);
            Assert.Equal("no", begun.Response.Headers.GetValues("X-Accel-Buffering").Single());
        }

        host.Configure(("Composition:order:FirstAfter", "00:01:00"));
        using var again = host.Request(HttpMethod.Get, "/orders/o-6801");
        again.Headers.IfNoneMatch.Add((await host.Get("/orders/o-6801")).Headers.ETag!);
        using var unchanged = await AnswerInLines.Ask(host.Client, again);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.Response.StatusCode);
        Assert.Empty(await unchanged.All());
    }

    [Fact]
    public async Task The_first_line_waits_for_parts_until_a_tenth_of_a_second_after_the_request()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        var host = Start(services: s => s.AddSingleton<TimeProvider>(clock));
        (await host.Get("/me")).Dispose();
        var (user, held) = (Upstream.Users.Faults.Hold("/users/u-1002"), Upstream.Orders.Faults.Hold());
        var (before, left) = (TimeSpan.FromMilliseconds(70), TimeSpan.FromMilliseconds(30));
        var asking = Ask(host, "/home-feed", "u-1002");
        await Upstream.Users.Calls.FirstAsync(c => c.Path == "/users/u-1002").WaitAsync(WaitLimit);
        clock.Advance(before);
        Assert.Equal(0, clock.DueIn(left));
        user.Dispose();
        await Eventually.True(() => clock.DueIn(left) == 1);
        clock.Advance(left - TimeSpan.FromTicks(1));
        Assert.False(asking.IsCompleted);

        clock.Advance(TimeSpan.FromTicks(1));

        using var answer = await asking;
        Assert.True(await answer.Next());
        Assert.Contains("orders", answer.Pending);
        held.Dispose();
        await answer.All();

        // An answer that is complete earlier is not delayed.
        using var whole = await Ask(host, "/home-feed", "u-1003");
        await whole.All();
        Assert.Single(whole.Lines);
    }

    [Fact]
    public async Task The_head_of_a_whole_answer_is_the_head_of_the_plain_one()
    {
        var host = Start(Gathering("order"));
        using var request = host.Request(HttpMethod.Head, "/orders/o-6801");

        using var answer = await AnswerInLines.Ask(host.Client, request);

        Assert.Empty(await answer.All());
        Assert.NotNull(answer.Response.Content.Headers.ContentLength);
        Assert.NotNull(answer.Response.Headers.ETag);
        Assert.Equal((await host.Get("/orders/o-6801")).Headers.ETag, answer.Response.Headers.ETag);
    }

    [Theory]
    [InlineData("application/x-ndjson", null, true)]
    [InlineData("application/x-ndjson, application/json", null, true)]
    [InlineData("application/x-ndjson, application/json;q=0.9, */*;q=0.1", null, true)]
    [InlineData("APPLICATION/X-NDJSON;q=0.5, */*;q=0.1", null, true)]
    [InlineData("application/json, application/x-ndjson;q=0.9", null, false)]
    [InlineData("*/*, application/x-ndjson;q=0.5", null, false)]
    [InlineData("application/x-ndjson;q=0, */*", null, false)]
    [InlineData("application/x-ndjson-seq, */*", null, false)]
    [InlineData("application/json", null, false)]
    [InlineData("*/*", null, false)]
    [InlineData(null, null, false)]
    [InlineData(null, "progressive", true)]
    [InlineData(null, "respond-async, Progressive; q=1", true)]
    [InlineData(null, "progressive=\"\"", true)]
    [InlineData(null, "progressive=no", false)]
    [InlineData(null, "progressive=\"no\"", false)]
    [InlineData(null, "handling=\"a, progressive\"", false)]
    [InlineData(null, "progressively", false)]
    [InlineData("*/*", "progressive", true)]
    [InlineData("application/*", "progressive", true)]
    [InlineData("application/json, application/x-ndjson;q=0.1", "progressive", true)]
    [InlineData("application/json", "progressive", false)]
    [InlineData("application/x-ndjson;q=0, */*", "progressive", false)]
    public async Task Lines_are_for_clients_that_ask_for_them(string? accept, string? prefer, bool isGiven)
    {
        var host = Start();
        using var request = host.Request(HttpMethod.Get, "/products/p-1", user: null);
        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }

        if (prefer is not null)
        {
            request.Headers.TryAddWithoutValidation("Prefer", prefer);
        }

        using var response = await host.Client.SendAsync(request);

        Assert.Equal(isGiven ? "application/x-ndjson" : "application/json", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal(isGiven && prefer is not null, response.Headers.Contains("Preference-Applied"));
        Assert.Subset(response.Headers.Vary.ToHashSet(), new HashSet<string>(["Accept", "Prefer", "Accept-Encoding"]));
    }

    [Theory]
    [InlineData(FaultMode.Garbage, 502, "upstream_failed")]
    [InlineData(FaultMode.Hang, 504, "upstream_timeout")]
    public async Task A_required_part_that_fails_is_a_problem_and_ends_the_others(FaultMode mode, int status, string code)
    {
        var host = Start(new() { ["Composition:home-feed:user:Timeout"] = mode == FaultMode.Hang ? "00:00:00.250" : null });
        var underWay = Upstream.Orders.Calls.FirstAsync(_ => true);
        using var held = Upstream.Orders.Faults.Hold();
        Upstream.Users.Faults.Set(new Fault { Mode = mode, Until = mode == FaultMode.Hang ? null : underWay });

        using var answer = await Ask(host, "/home-feed");

        Assert.Equal("user", (string?)(await Problem(answer.Response, status, code))["section"]);
        Assert.True(await (await underWay).Ended.WaitAsync(WaitLimit));
    }

    [Fact]
    public async Task A_stream_ends_at_the_deadline()
    {
        var host = Start(new() { ["Composition:Deadline"] = "00:00:03", ["Composition:home-feed:FirstAfter"] = "00:00:00" });
        using var held = Upstream.Recommendations.Faults.Hold();

        using var answer = await Ask(host, "/home-feed");

        Assert.Equal("timeout", (string?)(await answer.All())["_meta"]!["degraded"]!["recommendations"]);
        Assert.Empty(answer.Pending);
        Assert.True(answer.Answer.ContainsKey("recommendations"));
    }

    [Theory]
    [InlineData("br")]
    [InlineData("gzip")]
    public async Task Each_line_is_compressed_and_arrives_when_it_is_written(string coding)
    {
        var host = Start();
        using var held = Upstream.Orders.Faults.Hold();
        using var request = host.Request(HttpMethod.Get, "/home-feed");
        request.Headers.AcceptEncoding.ParseAdd(coding);

        using var answer = await AnswerInLines.Ask(host.Client, request);

        Assert.Equal(coding, answer.Response.Content.Headers.ContentEncoding.Single());
        Assert.True(await answer.Next());
        Assert.Contains("orders", answer.Pending);
        held.Dispose();
        await answer.All();
        Assert.Equal(Essence(await Ok(await host.Get("/home-feed"))), Essence(answer.Answer));
    }

    [Fact]
    public async Task A_HEAD_request_is_answered_when_its_lines_would_begin_and_cancels_the_other_parts()
    {
        var host = Start();
        using var held = Upstream.Orders.Faults.Hold();
        using var request = host.Request(HttpMethod.Head, "/home-feed");

        using var answer = await AnswerInLines.Ask(host.Client, request);

        Assert.Equal("application/x-ndjson", answer.Response.Content.Headers.ContentType!.ToString());
        Assert.Empty(await answer.All());
        Assert.True(await (await Upstream.Orders.Calls.FirstAsync(_ => true)).Ended.WaitAsync(WaitLimit));
    }

    [Fact]
    public async Task A_client_that_disconnects_cancels_the_parts_and_no_service_is_blamed()
    {
        var host = Start(
            new()
            {
                ["Upstreams:orders:Breaker:MinimumThroughput"] = "2",
                ["Upstreams:orders:Breaker:FailureRatio"] = "0.1",
                ["Upstreams:orders:Retries"] = "0",
            }
        );
        using (Upstream.Orders.Faults.Hold())
        {
            for (var i = 0; i < 5; i++)
            {
                using var client = host.NewClient();
                var call = Upstream.Orders.Calls.NextAsync();
                using (var answer = await AnswerInLines.Ask(client, host.Request(HttpMethod.Get, "/home-feed", $"u-{1001 + i}")))
                {
                    Assert.True(await answer.Next());
                }

                Assert.True(await (await call.WaitAsync(WaitLimit)).Ended.WaitAsync(WaitLimit));
            }
        }

        Assert.NotNull((await Ok(await host.Get("/home-feed")))["orders"]); // The circuit breaker is closed.
    }

    [Fact]
    public async Task A_write_is_answered_in_one_document()
    {
        var host = Start();
        using var request = host.Request(HttpMethod.Post, "/sync");
        request.Headers.Accept.ParseAdd("application/x-ndjson");
        request.Content = new StringContent(
            """{"operations":[{"id":"1","type":"profile.change","body":{"name":"Ann"}}]}""",
            Encoding.UTF8,
            "application/json"
        );

        using var response = await host.Client.SendAsync(request);

        Assert.Equal((207, "application/json"), ((int)response.StatusCode, response.Content.Headers.ContentType!.MediaType));
    }

    [Fact]
    public async Task The_access_log_has_one_line_with_the_whole_time_and_what_degraded_later()
    {
        var output = new MemoryStream();
        await using (var host = Start(services: s => s.AddSingleton(new AccessLogOptions { Output = output })))
        {
            var released = new TaskCompletionSource();
            Upstream.Orders.Faults.Set(new Fault { Mode = FaultMode.Garbage, Until = released.Task });
            using var answer = await Ask(host, "/home-feed");
            Assert.True(await answer.Next());
            Assert.Contains("orders", answer.Pending);
            released.SetResult();
            await answer.All();
        }

        var line = JsonNode.Parse(Encoding.UTF8.GetString(output.ToArray()))!;
        Assert.Equal((200, """{"orders":"failed"}"""), ((int)line["status"]!, line["degraded"]!.ToJsonString()));
    }

    [RedisFact]
    public async Task A_hundred_answers_at_once_on_three_instances_are_whole_and_each_is_charged_once()
    {
        using var redis = RedisServer.Run();
        var settings = new Dictionary<string, string?>
        {
            ["ConnectionStrings:redis"] = redis.ConnectionString,
            ["Plans:free:RequestsPerMinute"] = "1",
            ["Plans:free:Burst"] = "100",
            ["Plans:premium:RequestsPerMinute"] = "1",
            ["Plans:premium:Burst"] = "100",
            ["Limits:Mode"] = "Exact",
        };
        MobileHost[] hosts = [Start(settings), Start(settings), Start(settings)];
        var held = Upstream.Orders.Faults.Hold();

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Ask(hosts[i % 3], "/home-feed")));
        await Task.WhenAll(answers.Select(a => a.Next()));
        Assert.All(answers, a => Assert.Contains("orders", a.Pending));
        using var refused = await Ask(hosts[0], "/home-feed");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.Response.StatusCode);
        held.Dispose();
        await Task.WhenAll(answers.Select(a => a.All()));

        Assert.All(answers, a => Assert.Empty(a.Pending));
        Assert.Single(answers.Select(a => Essence(a.Answer)).Distinct());
        Array.ForEach(answers, a => a.Dispose());
    }

    [RedisFact]
    public async Task Losing_Redis_during_an_answer_does_not_cut_it_off()
    {
        using var redis = RedisServer.Run();
        var host = Start(new() { ["ConnectionStrings:redis"] = redis.ConnectionString });
        var held = Upstream.Recommendations.Faults.Hold();
        using var answer = await Ask(host, "/home-feed");
        Assert.True(await answer.Next());

        redis.Stop();
        held.Dispose();

        Assert.Equal(10, (await answer.All())["recommendations"]!.AsArray().Count);
        Assert.Empty(answer.Pending);
    }

    private static Task<AnswerInLines> Ask(MobileHost host, string path, string user = "u-1001") =>
        AnswerInLines.Ask(host.Client, host.Request(HttpMethod.Get, path, user));

    private static string Essence(JsonObject answer) => AnswerInLines.Essence(answer);

    private static Dictionary<string, string?> Gathering(params string[] endpoints) =>
        endpoints.ToDictionary(e => $"Composition:{e}:FirstAfter", string? (_) => "00:01:00");
}
