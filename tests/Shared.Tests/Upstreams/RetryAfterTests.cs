using Bff.TestKit;
using Bff.Upstreams;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using static Bff.Shared.Tests.Upstreams.UpstreamBench;

namespace Bff.Shared.Tests.Upstreams;

/// <summary>Tests of <c>Retry-After</c>, and of statuses that are not retried.</summary>
public sealed class RetryAfterTests
{
    [Theory]
    [InlineData("seconds", false)]
    [InlineData("date", false)]
    [InlineData("seconds", true)]
    [InlineData("date", true)]
    public async Task A_retry_time_after_the_deadline_is_passed_on_with_the_answer(string form, bool isHedged)
    {
        var time = new ManualTimeProvider();
        await using var service = await Refusing(503, () => form == "date" ? time.GetUtcNow().AddSeconds(30).ToString("R") : "30");
        await using var bench = await StartAsync(time, Settings(service, isHedged));

        var answer = await bench.Client("users").Get("users/u-1", Any, bench.Call(within: TimeSpan.FromSeconds(10)));

        Assert.Equal((UpstreamOutcome.Failed, 503), (answer.Outcome, answer.Status));
        Assert.Equal(TimeSpan.FromSeconds(30), answer.RetryAfter);
        Assert.Equal(TimeSpan.FromSeconds(30), answer.ToProblem("users").RetryAfter);
        Assert.Equal(1, service.Services.GetRequiredService<Count>().Value);
    }

    [Theory]
    [InlineData("seconds")]
    [InlineData("date")]
    public async Task No_attempt_is_made_before_the_time_that_the_service_names(string form)
    {
        var time = new ManualTimeProvider();
        var begun = time.GetUtcNow();
        await using var service = await Refusing(503, () => form == "date" ? begun.AddSeconds(5).ToString("R") : "5", times: 1);
        await using var bench = await StartAsync(time, Settings(service, isHedged: false));
        var count = service.Services.GetRequiredService<Count>();
        var pending = bench.Client("users").Get("users/u-1", Any, bench.Call(within: TimeSpan.FromSeconds(20))).AsTask();
        while (!(time.NextDue <= TimeSpan.FromSeconds(5)) && !pending.IsCompleted) // The timers that end an attempt are due later.
        {
            await Task.Yield();
        }

        time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.Equal(1, count.Value);
        Assert.False(pending.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(0.1));

        Assert.True((await pending.WaitAsync(WaitLimit)).IsOk);
        Assert.Equal(2, count.Value);
    }

    [Theory]
    [InlineData(501)]
    [InlineData(505)]
    [InlineData(511)]
    public async Task A_status_for_something_not_offered_is_not_retried_and_opens_no_breaker(int status)
    {
        await using var service = await Refusing(status, () => null);
        await using var bench = await StartAsync(null, Settings(service, isHedged: false));

        for (var i = 1; i <= 30; i++)
        {
            Assert.Equal(UpstreamOutcome.Failed, (await bench.Client("users").Get("users/u-1", Any, bench.Call())).Outcome);
            Assert.Equal(i, service.Services.GetRequiredService<Count>().Value);
        }
    }

    private static (string, string)[] Settings(TestHost service, bool isHedged) =>
        [
            ("Upstreams:users:Address", service.Address.ToString()),
            ("Upstreams:users:Retries", "2"),
            .. isHedged ? new[] { ("Upstreams:users:HedgeAfter", "00:00:01") } : [],
        ];

    private static Task<TestHost> Refusing(int status, Func<string?> retryAfter, int times = int.MaxValue)
    {
        var count = new Count();
        return TestHost.Start(
            builder => builder.Services.Add(new(typeof(Count), count)),
            app =>
                app.Run(async context =>
                {
                    var isRefused = Interlocked.Increment(ref count.Value) <= times;
                    context.Response.StatusCode = isRefused ? status : 200;
                    context.Response.Headers.RetryAfter = isRefused ? retryAfter() : default;
                    context.Response.ContentType = "application/json";
                    await context.Response.WriteAsync("{}");
                })
        );
    }

    private sealed class Count
    {
        public int Value;
    }
}
