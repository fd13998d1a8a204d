using System.Diagnostics.Metrics;
using System.Net;
using Bff.Admission;
using Bff.Edge;
using Bff.Requests;
using Bff.Shared.Tests.State;
using Bff.Tenancy;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Admission;

/// <summary>Tests admission in a real host with one slot and a queue of one.</summary>
public sealed class AdmissionPipelineTests
{
    private readonly TaskCompletionSource _go = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ManualTimeProvider _clock = new();
    private int _arrived;

    [Fact]
    public async Task A_full_host_answers_503_overloaded_and_still_serves_health_checks()
    {
        await using var host = await Start();
        var shed = Shed(host, out var listener);
        using var _ = listener;
        var served = host.Client.GetAsync("/work");
        await Arrived(1);
        var queued = host.Client.GetAsync("/work");
        await RedisStateTests.Until(() => Task.FromResult(Gate(host).Waiting == 1));

        using var refused = await host.Client.GetAsync("/work");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal("application/problem+json", refused.Content.Headers.ContentType?.MediaType);
        Assert.Contains("\"code\":\"overloaded\"", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter?.Delta);
        Assert.Equal(["queue_full normal"], shed);
        Assert.Equal(HttpStatusCode.OK, (await host.Client.GetAsync("/health/live")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.Client.GetAsync("/sign-out")).StatusCode);

        _go.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await served).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await queued).StatusCode);
        await AllSlotsFree(host);
        Assert.Equal(0, Gate(host).Waiting);
    }

    [Fact]
    public async Task An_important_request_takes_the_place_of_a_less_important_one_in_the_queue()
    {
        await using var host = await Start();
        var served = host.Client.GetAsync("/work");
        await Arrived(1);
        var low = host.Client.GetAsync("/work?priority=Low");
        await RedisStateTests.Until(() => Task.FromResult(Gate(host).Waiting == 1));

        var high = host.Client.GetAsync("/work?priority=High");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await low).StatusCode);
        _go.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await high).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await served).StatusCode);
    }

    [Fact]
    public async Task A_tenant_at_its_ceiling_takes_no_slot_from_other_tenants()
    {
        await using var host = await Start(slots: 10);
        var first = host.Client.GetAsync("/work?tenant=acme&ceiling=1");
        await Arrived(1);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await host.Client.GetAsync("/work?tenant=acme&ceiling=1")).StatusCode);
        var other = host.Client.GetAsync("/work?tenant=other&ceiling=1");
        await Arrived(2);
        _go.SetResult();

        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await other).StatusCode);
        // The host gives the place back after it has sent the answer.
        await Eventually.True(async () => (await host.Client.GetAsync("/work?tenant=acme&ceiling=1")).StatusCode == HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_request_that_waits_too_long_is_refused()
    {
        await using var host = await Start();
        var served = host.Client.GetAsync("/work");
        await Arrived(1);
        var queued = host.Client.GetAsync("/work");
        await RedisStateTests.Until(() => Task.FromResult(Gate(host).Waiting == 1));

        await RedisStateTests.Until(() =>
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            return Task.FromResult(Gate(host).Waiting == 0);
        });

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await queued).StatusCode);
        _go.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await served).StatusCode);
    }

    [Fact]
    public async Task A_client_that_disconnects_while_it_waits_is_never_served()
    {
        await using var host = await Start();
        var served = host.Client.GetAsync("/work");
        await Arrived(1);
        using var client = new CancellationTokenSource();
        var queued = host.Client.GetAsync("/work", client.Token);
        await RedisStateTests.Until(() => Task.FromResult(Gate(host).Waiting == 1));

        await client.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queued);
        await RedisStateTests.Until(() => Task.FromResult(Gate(host).Waiting == 0));

        _go.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await served).StatusCode);
        Assert.Equal(1, Volatile.Read(ref _arrived));
    }

    [Fact]
    public async Task A_stream_frees_its_slot_once_it_has_started()
    {
        await using var host = await Start();
        using var stream = await host.Client.GetAsync("/stream", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("text/event-stream", stream.Content.Headers.ContentType?.MediaType);
        Assert.Equal(0, Gate(host).InFlight);

        _go.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await host.Client.GetAsync("/work")).StatusCode);
        await stream.Content.ReadAsStringAsync();
        await AllSlotsFree(host);
    }

    /// <summary>A client that sends its body slowly holds no slot, so other requests do not wait for it.</summary>
    [Theory]
    [InlineData("Content-Length: 10\r\n\r\nhello", "world")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "5\r\nworld\r\n0\r\n\r\n")]
    public async Task A_stalled_request_body_holds_no_slot(string first, string last)
    {
        await using var host = await Start();
        using var sender = await RawSender.Start(host.Address, $"POST /upload HTTP/1.1\r\nHost: gateway\r\n{first}");
        await Arrived(1);
        await AllSlotsFree(host);

        var served = host.Client.GetAsync("/work");
        await Arrived(2);
        _go.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await served).StatusCode);
        await sender.Send(last);

        Assert.Equal(200, (await sender.Answer()).Status);
        await AllSlotsFree(host);
    }

    [Fact]
    public async Task A_request_whose_body_has_arrived_waits_for_a_slot_like_a_new_request()
    {
        await using var host = await Start();
        using var sender = await RawSender.Start(host.Address, "POST /upload HTTP/1.1\r\nHost: gateway\r\nContent-Length: 10\r\n\r\nhello");
        await Arrived(1);
        await AllSlotsFree(host);
        var served = host.Client.GetAsync("/work");
        await Arrived(2);
        await sender.Send("world");
        await Eventually.True(() => Gate(host).Waiting == 1);

        using var refused = await host.Client.GetAsync("/work"); // The queue holds one request, which is already waiting.
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        _go.SetResult();

        Assert.Equal(HttpStatusCode.OK, (await served).StatusCode);
        Assert.Equal(200, (await sender.Answer()).Status);
        await AllSlotsFree(host);
    }

    [Fact]
    public async Task A_client_that_disconnects_during_its_body_frees_no_slot_twice()
    {
        await using var host = await Start();
        for (var i = 1; i <= 3; i++)
        {
            using var sender = await RawSender.Start(
                host.Address,
                "POST /upload HTTP/1.1\r\nHost: gateway\r\nContent-Length: 10\r\n\r\nhello"
            );
            await Arrived(i);
            await AllSlotsFree(host);
            sender.Reset();
        }

        await Eventually.True(() => Gate(host).InFlight == 0);
        _go.SetResult();
        Assert.Equal(HttpStatusCode.OK, (await host.Client.GetAsync("/work")).StatusCode);
        await AllSlotsFree(host);
    }

    private static AdmissionGate Gate(TestHost host) => host.Services.GetRequiredService<AdmissionGate>();

    /// <summary>Waits until all slots are free, because the host frees them after it has sent the answers.</summary>
    private static async Task AllSlotsFree(TestHost host) => await Eventually.True(() => Gate(host).InFlight == 0);

    private Task Arrived(int count) => RedisStateTests.Until(() => Task.FromResult(Volatile.Read(ref _arrived) == count));

    private Task<TestHost> Start(int slots = 1) =>
        TestHost.Start(
            builder =>
            {
                builder.Services.AddSingleton<TimeProvider>(_clock);
                builder.Services.AddSingleton<AdmissionClassifier>(static request =>
                {
                    var query = request.HttpContext!.Request.Query;
                    return new(
                        Enum.TryParse<TenantPriority>(query["priority"], out var priority) ? priority : TenantPriority.Normal,
                        query["tenant"],
                        int.TryParse(query["ceiling"], out var ceiling) ? ceiling : null
                    );
                });
                builder.AddBffDefaults();
            },
            app =>
            {
                app.UseBffPipeline();
                app.MapGet(
                        "/work",
                        async () =>
                        {
                            Interlocked.Increment(ref _arrived);
                            await _go.Task;
                            return "done";
                        }
                    )
                    .AllowAnonymous();
                app.MapPost(
                        "/upload",
                        async (HttpContext context) =>
                        {
                            Interlocked.Increment(ref _arrived);
                            return (await RequestBody.Read(context, context.RequestAborted)).Length;
                        }
                    )
                    .AllowAnonymous();
                app.MapGet("/sign-out", () => "bye").AllowAnonymous().NeverShed();
                app.MapGet(
                        "/stream",
                        async (HttpContext context) =>
                        {
                            context.Response.ContentType = "text/event-stream";
                            await context.Response.Body.FlushAsync();
                            await _go.Task;
                        }
                    )
                    .AllowAnonymous()
                    .LongLived();
            },
            [
                new("Kestrel:Limits:MinRequestBodyDataRate:BytesPerSecond", "0"),
                new("Admission:MaxConcurrency", slots.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            ]
        );

    private static List<string> Shed(TestHost host, out MeterListener listener)
    {
        var seen = new List<string>();
        listener = host.Services.Listen("bff.admission.shed");
        listener.SetMeasurementEventCallback<long>(
            (_, _, tags, _) =>
            {
                lock (seen)
                {
                    seen.Add($"{tags[0].Value} {tags[1].Value}");
                }
            }
        );
        listener.Start();
        return seen;
    }
}
