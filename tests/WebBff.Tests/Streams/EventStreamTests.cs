using System.Text;
using Bff.Callers;
using Bff.Callers.Clients;
using Bff.Events;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace WebBff.Tests.Streams;

public sealed class EventStreamTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    [Fact]
    public async Task A_user_sees_only_own_events()
    {
        var host = Start();
        using var stream = await EventStream.Open(await SignedIn(host));

        await Publish(host, 1, user: "u-1002");
        await Publish(host, 2, user: null);
        await Publish(host, 3);

        var seen = (await stream.Next())!.Value;
        Assert.Equal(("order.updated", """{"n":3}"""), (seen.Type, seen.Data));
        Assert.Equal("text/event-stream", stream.Response.Content.Headers.ContentType!.MediaType);
        Assert.Equal("no", stream.Response.Headers.GetValues("X-Accel-Buffering").Single());
    }

    /// <summary>A client considers the answer to HEAD complete and sends its next request over the same connection.</summary>
    [Fact]
    public async Task A_HEAD_request_opens_no_stream()
    {
        var host = Start();
        var browser = await SignedIn(host);

        using var head = await browser.Send(HttpMethod.Head, "/api/events");

        Assert.Equal((HttpStatusCode.OK, "text/event-stream"), (head.StatusCode, head.Content.Headers.ContentType?.MediaType));
        Assert.Equal(0, host.Services.GetRequiredService<UserEvents>().Open);
    }

    [Fact]
    public async Task Five_hundred_events_over_twenty_cuts_arrive_once_and_in_order()
    {
        var host = Start();
        var browser = await SignedIn(host);
        var seen = new List<string>();
        string? last = null;
        using (var first = await EventStream.Open(browser))
        {
            last = first.LastId;
        }

        var publishing = Task.Run(async () =>
        {
            for (var n = 0; n < 500; n++)
            {
                await Publish(host, n);
            }
        });
        while (seen.Count < 500)
        {
            using var stream = await EventStream.Open(browser, last);
            for (var i = 0; i < 25 && seen.Count < 500; i++)
            {
                var item = (await stream.Next().WaitAsync(WaitLimit))!.Value;
                seen.Add(item.Data);
                last = item.Id;
            }
        }

        await publishing;
        Assert.Equal(Enumerable.Range(0, 500).Select(n => $$"""{"n":{{n}}}"""), seen);
    }

    [Fact]
    public async Task An_unknown_position_in_the_log_gives_one_reset()
    {
        var host = Start();
        using var stream = await EventStream.Open(await SignedIn(host), "1-1");

        Assert.Equal("reset", (await stream.Next())!.Value.Type);
        await Publish(host, 7);
        Assert.Equal("""{"n":7}""", (await stream.Next())!.Value.Data);
    }

    [RedisFact]
    public async Task Signing_out_over_the_back_channel_of_one_instance_ends_cookie_and_streams_on_both()
    {
        using var redis = RedisServer.Run();
        var settings = new Dictionary<string, string?> { ["ConnectionStrings:redis"] = redis.ConnectionString };
        var (one, two) = (Start(settings), Start(settings));
        var browser = await SignedIn(one);
        using var there = await EventStream.Open(browser);
        browser.GoTo(two);
        using var here = await EventStream.Open(browser);
        using var other = await EventStream.Open(await SignedIn(one, "bob"));
        using var form = new FormUrlEncodedContent([
            KeyValuePair.Create("logout_token", Surroundings.Identity.CreateLogoutToken("web-bff", "u-1001", null)),
        ]);

        using var told = await two.Client.PostAsync("/bff/backchannel-logout", form);

        Assert.Equal(HttpStatusCode.OK, told.StatusCode);
        Assert.Null(await there.Next().WaitAsync(WaitLimit));
        Assert.Null(await here.Next().WaitAsync(WaitLimit));
        foreach (var instance in (WebHost[])[one, two])
        {
            browser.GoTo(instance);
            using var again = await browser.Send(HttpMethod.Get, "/api/events");
            await Problem(again, 401, "missing_token");
            using var user = await browser.Get("/bff/user");
            await Problem(user, 401, "missing_token");
        }

        await Publish(one, 1, "u-1002");
        Assert.NotNull(await other.Next().WaitAsync(WaitLimit));
    }

    [RedisFact]
    public async Task A_sign_out_that_cannot_be_published_fails_and_keeps_the_session()
    {
        using var redis = RedisServer.Run();
        var settings = new Dictionary<string, string?> { ["ConnectionStrings:redis"] = redis.ConnectionString };
        var (one, two) = (Start(settings), Start(settings));
        var browser = await SignedIn(one);
        using var stream = await EventStream.Open(browser);
        var logout = (string)(await browser.User())["logoutUrl"]!;
        var ended = stream.Next();

        redis.Deny("publish");
        browser.GoTo(two);
        using var failed = await browser.Send(HttpMethod.Get, logout);

        Assert.True(failed.StatusCode >= HttpStatusCode.InternalServerError, $"{failed.StatusCode}");
        await browser.User(); // The session still exists; otherwise the stream would go on without it.
        Assert.False(ended.IsCompleted);

        redis.Allow("publish");
        using var done = await browser.Send(HttpMethod.Get, logout);
        Assert.Equal(HttpStatusCode.Found, done.StatusCode);
        Assert.Null(await ended.WaitAsync(WaitLimit));
    }

    [RedisFact]
    public async Task Signing_out_ends_the_streams_on_an_instance_that_no_message_reaches()
    {
        using var redis = RedisServer.Run();
        using var route = new RedisRoute(redis);
        var one = Start(new() { ["ConnectionStrings:redis"] = redis.ConnectionString });
        var two = Start(new() { ["ConnectionStrings:redis"] = route.Address });
        var browser = await SignedIn(one);
        browser.GoTo(two);
        using var stream = await EventStream.Open(browser);
        browser.GoTo(one);
        route.LoseMessages();

        using var signedOut = await browser.Send(HttpMethod.Get, (string)(await browser.User())["logoutUrl"]!);

        Assert.Null(await stream.Next().WaitAsync(WaitLimit));
        Assert.True(route.Lost > 0);
    }

    [Fact]
    public async Task A_session_that_ends_while_its_stream_begins_ends_the_stream()
    {
        var callers = new HookedCallerSource();
        var host = Start(services: s =>
        {
            var sessions = s.Last(service => service.ServiceType == typeof(ICallerSource));
            s.Decorate<ICallerSource>(callers.After).Remove(sessions);
        });
        var browser = await SignedIn(host);
        callers.AfterResolve = async () =>
        {
            using var form = new FormUrlEncodedContent([
                KeyValuePair.Create("logout_token", Surroundings.Identity.CreateLogoutToken("web-bff", "u-1001", null)),
            ]);
            using var told = await host.Client.PostAsync("/bff/backchannel-logout", form);
            Assert.Equal(HttpStatusCode.OK, told.StatusCode);
        };

        using var ended = await browser.Send(HttpMethod.Get, "/api/events").WaitAsync(WaitLimit);

        Assert.Null(callers.AfterResolve);
        Assert.Equal(HttpStatusCode.OK, ended.StatusCode);
    }

    [Fact]
    public async Task A_stream_does_not_outlive_an_idle_session_or_keep_it_alive()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        var host = Start(services: s => s.Replace(clock));
        using var stream = await EventStream.Open(await SignedIn(host));
        var ended = stream.Next();

        clock.Advance(TimeSpan.FromMinutes(29));
        Assert.False(ended.IsCompleted);
        clock.Advance(TimeSpan.FromMinutes(2));

        Assert.Null(await ended.WaitAsync(WaitLimit));
    }

    [Theory]
    [InlineData("Origin", "https://evil.example")]
    [InlineData("Origin", "null")]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    public async Task A_page_of_another_site_reads_no_events(string header, string value)
    {
        using var answer = await (await SignedIn(Start())).Send(HttpMethod.Get, "/api/events", (header, value));
        await Problem(answer, 403, "csrf_rejected");
    }

    [Fact]
    public async Task A_draining_host_tells_its_streams_to_reconnect()
    {
        var host = Start();
        using var stream = await EventStream.Open(await SignedIn(host));
        var ended = stream.Next();

        await host.DisposeAsync();

        Assert.Null(await ended.WaitAsync(WaitLimit));
        Assert.Contains("going away", stream.Comments);
    }

    private static async Task Publish(WebHost host, int n, string? user = "u-1001") =>
        await host
            .Services.GetRequiredService<IEventLog>()
            .Append(
                [
                    new NewEvent(
                        new EventHead
                        {
                            Source = "/tests",
                            SourceId = Guid.NewGuid().ToString("N"),
                            Type = "order.updated",
                            User = user,
                        },
                        Encoding.UTF8.GetBytes($$"""{"n":{{n}}}""")
                    ),
                ],
                CancellationToken.None
            );

    /// <summary>Runs an action once, after a request has been admitted and before it is answered.</summary>
    private sealed class HookedCallerSource : ICallerSource
    {
        private ICallerSource? _inner;

        public Func<Task>? AfterResolve { get; set; }

        public string? Challenge => _inner!.Challenge;

        public HookedCallerSource After(ICallerSource inner)
        {
            _inner = inner;
            return this;
        }

        public async ValueTask<CallerResult> Resolve(HttpContext context)
        {
            var result = await _inner!.Resolve(context);
            if (context.Request.Path == "/api/events" && AfterResolve is { } hook)
            {
                AfterResolve = null;
                await hook();
            }

            return result;
        }
    }
}
