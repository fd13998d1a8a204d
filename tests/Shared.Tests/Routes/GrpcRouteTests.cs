using System.Text;
using System.Text.Json.Nodes;
using Bff.TestKit;
using Bff.TestKit.Calls;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client.Web;

namespace Bff.Shared.Tests.Routes;

/// <summary>Tests calls of all four kinds through a gRPC route, from a real client to a real service.</summary>
public sealed class GrpcRouteTests
{
    private static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(60);

    public static TheoryData<GrpcWebMode?> Forms => [null, GrpcWebMode.GrpcWeb, GrpcWebMode.GrpcWebText];

    [Theory, MemberData(nameof(Forms))]
    public async Task A_call_and_its_metadata_are_relayed_in_both_directions(GrpcWebMode? web)
    {
        await using var bench = await GrpcBench.Start();
        var client = new Talk.TalkClient(bench.Channel(web));

        using var call = client.OnceAsync(
            new() { Text = "hello" },
            [new("x-device", "phone"), new("x-secret", "s"), new("trace-bin", [0, 1, 254]), new("X-User-Id", "admin")]
        );
        var said = await call;

        Assert.Equal("hello", said.Text);
        var sent = bench.Service.Last();
        Assert.Equal("phone", sent.Headers.GetValue("x-device"));
        Assert.Equal([0, 1, 254], sent.Headers.GetValueBytes("trace-bin"));
        Assert.Null(sent.Headers.GetValue("x-secret")); // The header is not in Headers:Forward.
        Assert.Equal("u-1", sent.Headers.GetValue("x-user-id"));
        Assert.Null(sent.Left);
        var head = await call.ResponseHeadersAsync;
        Assert.Equal("yes", head.GetValue("x-answer"));
        Assert.Equal([1, 2, 255], head.GetValueBytes("answer-bin"));
        Assert.Equal([9, 8, 7], call.GetTrailers().GetValueBytes("end-bin"));
        Assert.Null(call.GetTrailers().GetValue("x-request-id")); // Trailers follow the same rules as headers.
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Theory, MemberData(nameof(Forms))]
    public async Task A_stream_of_the_service_arrives_message_by_message(GrpcWebMode? web)
    {
        await using var bench = await GrpcBench.Start();
        using var call = new Talk.TalkClient(bench.Channel(web)).Listen(new() { Text = "silent", Times = 3 });

        for (var i = 0; i < 3; i++) // After three messages the service is silent and does not end the stream.
        {
            Assert.True(await call.ResponseStream.MoveNext(default).WaitAsync(WaitLimit));
            Assert.Equal(i, call.ResponseStream.Current.Times);
        }

        var service = bench.Service.Last();
        Assert.False(service.Ended.IsCompleted);
        call.Dispose();
        Assert.True(await service.Ended.WaitAsync(WaitLimit));
    }

    [Fact]
    public async Task Client_streams_and_bidirectional_streams_are_relayed()
    {
        await using var bench = await GrpcBench.Start();
        var client = bench.Client;

        using var gather = client.Gather();
        for (var i = 0; i < 5; i++)
        {
            await gather.RequestStream.WriteAsync(new() { Data = ByteString.CopyFrom(new byte[100]) });
        }

        await gather.RequestStream.CompleteAsync();
        Assert.Equal((5, "500"), await gather is var all ? (all.Times, all.Text) : default);

        using var chat = client.Chat();
        for (var i = 0; i < 5; i++) // The client reads each answer before it sends the next message.
        {
            await chat.RequestStream.WriteAsync(new() { Times = i });
            Assert.True(await chat.ResponseStream.MoveNext(default).WaitAsync(WaitLimit));
            Assert.Equal(i, chat.ResponseStream.Current.Times);
        }

        await chat.RequestStream.CompleteAsync();
        Assert.False(await chat.ResponseStream.MoveNext(default).WaitAsync(WaitLimit));
        Assert.Equal(StatusCode.OK, chat.GetStatus().StatusCode);
    }

    [Fact]
    public async Task A_service_may_end_a_stream_before_the_client_has_completed_it()
    {
        await using var bench = await GrpcBench.Start();
        using var chat = bench.Client.Chat();

        await chat.RequestStream.WriteAsync(new() { Text = "first" });
        Assert.True(await chat.ResponseStream.MoveNext(default).WaitAsync(WaitLimit));
        await chat.RequestStream.WriteAsync(new() { Text = "status 9" });

        var ended = await Assert.ThrowsAsync<RpcException>(() => chat.ResponseStream.MoveNext(default).WaitAsync(WaitLimit));
        Assert.Equal(StatusCode.FailedPrecondition, ended.StatusCode);
    }

    [Theory, MemberData(nameof(Forms))]
    public async Task A_status_is_relayed_with_its_message_and_details(GrpcWebMode? web)
    {
        await using var bench = await GrpcBench.Start();
        var client = new Talk.TalkClient(bench.Channel(web));
        for (var status = 1; status <= 16; status++)
        {
            var failed = await GrpcBench.Fails(client.OnceAsync(new() { Text = $"status {status}" }));

            Assert.Equal((status, "as told: 100 % ü"), ((int)failed.StatusCode, failed.Status.Detail));
            Assert.Equal([1, 2, 3], failed.Trailers.GetValueBytes("reason-bin"));
        }

        using var late = client.Listen(new() { Text = "status 5", Times = 2 }); // After messages, the status is in the trailers.
        await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await late.ResponseStream.MoveNext(default).WaitAsync(WaitLimit)) { }
        });
        Assert.Equal(StatusCode.NotFound, late.GetStatus().StatusCode);
    }

    [Theory, MemberData(nameof(Forms))]
    public async Task Streams_of_any_length_and_messages_within_the_limit_are_relayed(GrpcWebMode? web)
    {
        await using var bench = await GrpcBench.Start(new() { ["Plans:free:MaxPayloadBytes"] = "2097152" });
        var client = new Talk.TalkClient(bench.Channel(web));
        var megabyte = ByteString.CopyFrom(new byte[1 << 20]);

        Assert.Equal(megabyte.Length, (await client.OnceAsync(new() { Data = megabyte })).Data.Length);
        using var listen = client.Listen(new() { Data = megabyte, Times = 32 });
        var count = 0;
        while (await listen.ResponseStream.MoveNext(default).WaitAsync(WaitLimit))
        {
            count++;
        }

        Assert.Equal(32, count);
        if (web is null)
        {
            using var gather = client.Gather();
            for (var i = 0; i < 32; i++)
            {
                await gather.RequestStream.WriteAsync(new() { Data = megabyte });
            }

            await gather.RequestStream.CompleteAsync();
            Assert.Equal($"{32 << 20}", (await gather).Text);
        }
    }

    [Fact]
    public async Task The_services_deadline_is_the_clients_remaining_time()
    {
        await using var bench = await GrpcBench.Start();

        await bench.Client.OnceAsync(new() { Text = "hello" }, deadline: DateTime.UtcNow + TimeSpan.FromSeconds(40));

        Assert.InRange(bench.Service.Last().Left!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(40));
    }

    [Theory, MemberData(nameof(Forms))]
    public async Task The_shorter_of_timeout_and_deadline_applies(GrpcWebMode? web)
    {
        await using var bench = await GrpcBench.Start(new() { ["Upstreams:talk:Timeout"] = "00:00:00.500" });
        var client = new Talk.TalkClient(bench.Channel(web));

        var ours = await GrpcBench.Fails(client.OnceAsync(new() { Text = "hang" }, deadline: DateTime.UtcNow + TimeSpan.FromMinutes(5)));
        Assert.Equal(StatusCode.DeadlineExceeded, ours.StatusCode);
        Assert.StartsWith("upstream_timeout", ours.Status.Detail, StringComparison.Ordinal);
        Assert.True(await bench.Service.Last().Ended.WaitAsync(WaitLimit));
    }

    [Fact]
    public async Task A_cancelled_call_or_a_short_deadline_does_not_open_the_breaker()
    {
        await using var bench = await GrpcBench.Start(
            new() { ["Upstreams:talk:Breaker:MinimumThroughput"] = "2", ["Upstreams:talk:Breaker:FailureRatio"] = "0.01" }
        );
        for (var i = 0; i < 5; i++)
        {
            using var cancel = new CancellationTokenSource();
            using var left = bench.Client.OnceAsync(new() { Text = "hang" }, cancellationToken: cancel.Token);
            await Eventually.True(() => bench.Service.Calls.Count == 2 * i + 1);
            await cancel.CancelAsync();
            Assert.Equal(StatusCode.Cancelled, (await GrpcBench.Fails(left)).StatusCode);
            Assert.True(await bench.Service.Last().Ended.WaitAsync(WaitLimit));

            var late = await GrpcBench.Fails(
                bench.Client.OnceAsync(new() { Text = "hang" }, deadline: DateTime.UtcNow + TimeSpan.FromMilliseconds(200))
            );
            Assert.Equal(StatusCode.DeadlineExceeded, late.StatusCode);
            await Eventually.True(() => bench.Service.Calls.Count == 2 * i + 2);
        }

        Assert.Equal("hello", (await bench.Client.OnceAsync(new() { Text = "hello" })).Text);
    }

    [Fact]
    public async Task The_access_log_records_the_gRPC_status()
    {
        using var output = new MemoryStream();
        await using (var bench = await GrpcBench.Start(output: output))
        {
            await bench.Client.OnceAsync(new() { Text = "hello" });
            await GrpcBench.Fails(bench.Client.OnceAsync(new() { Text = "status 5" }));
            using (var listen = bench.Client.Listen(new() { Text = "silent", Times = 1 }))
            {
                Assert.True(await listen.ResponseStream.MoveNext(default).WaitAsync(WaitLimit));
            }

            Assert.True(await bench.Service.Last().Ended.WaitAsync(WaitLimit));
            bench.Caller.Result = Bff.Callers.CallerResult.None;
            await GrpcBench.Fails(bench.Client.OnceAsync(new() { Text = "hello" }));
        }

        var lines = Encoding
            .UTF8.GetString(output.ToArray())
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonNode.Parse(line)!)
            .ToList();
        Assert.All(lines, line => Assert.Equal(200, (int)line["status"]!));
        Assert.Equal([0, 1, 5, 16], lines.Select(line => (int)line["grpcStatus"]!).Order());
    }

    [Fact]
    public async Task Statuses_that_a_client_can_cause_do_not_open_the_breaker()
    {
        await using var bench = await GrpcBench.Start(
            new() { ["Upstreams:talk:Breaker:MinimumThroughput"] = "2", ["Upstreams:talk:Breaker:FailureRatio"] = "0.01" }
        );
        foreach (var status in (int[])[1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16])
        {
            for (var i = 0; i < 3; i++)
            {
                Assert.Equal(status, (int)(await GrpcBench.Fails(bench.Client.OnceAsync(new() { Text = $"status {status}" }))).StatusCode);
            }
        }

        Assert.Equal("hello", (await bench.Client.OnceAsync(new() { Text = "hello" })).Text);
    }

    [Theory]
    [InlineData("status 14")]
    [InlineData("status 15")]
    [InlineData("status 4")]
    [InlineData("reset")]
    public async Task A_failing_service_opens_its_breaker(string told)
    {
        await using var bench = await GrpcBench.Start(
            new()
            {
                ["Upstreams:talk:Breaker:MinimumThroughput"] = "2",
                ["Upstreams:talk:Breaker:FailureRatio"] = "0.01",
                ["Upstreams:talk:Breaker:BreakDuration"] = "01:00:00",
            }
        );
        for (var i = 0; i < 2; i++)
        {
            await GrpcBench.Fails(bench.Client.OnceAsync(new() { Text = told }));
        }

        var asked = bench.Service.Calls.Count;
        var refused = await GrpcBench.Fails(bench.Client.OnceAsync(new() { Text = "hello" }));
        Assert.Equal(StatusCode.Unavailable, refused.StatusCode);
        Assert.StartsWith("upstream_unavailable", refused.Status.Detail, StringComparison.Ordinal);
        Assert.NotNull(refused.Trailers.GetValue("retry-after"));
        Assert.Equal(asked, bench.Service.Calls.Count);
    }

    [Theory, MemberData(nameof(Forms))]
    public async Task A_broken_stream_ends_with_a_status(GrpcWebMode? web)
    {
        await using var bench = await GrpcBench.Start();
        using var call = new Talk.TalkClient(bench.Channel(web)).Listen(new() { Text = "reset", Times = 2 });

        var broken = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            while (await call.ResponseStream.MoveNext(default).WaitAsync(WaitLimit)) { }
        });
        Assert.Equal(
            (StatusCode.Unavailable, "The service closed the connection before the end of the call."),
            (broken.StatusCode, broken.Status.Detail)
        );
    }

    [Fact]
    public async Task A_stream_may_be_silent_for_an_hour()
    {
        var clock = new ManualTimeProvider();
        await using var bench = await GrpcBench.Start(time: clock);
        using var call = bench.Client.Listen(new() { Text = "silent", Times = 1 });
        Assert.True(await call.ResponseStream.MoveNext(default).WaitAsync(WaitLimit));
        var next = call.ResponseStream.MoveNext(default);

        await Eventually.True(() => clock.NextDue is not null);
        clock.Advance(TimeSpan.FromMinutes(59));
        Assert.False(next.IsCompleted);
        await Eventually.True(() =>
        {
            clock.Advance(TimeSpan.FromMinutes(1));
            return next.IsCompleted;
        });

        Assert.Equal(StatusCode.DeadlineExceeded, (await Assert.ThrowsAsync<RpcException>(() => next)).StatusCode);
    }

    [Fact]
    public async Task A_stream_ends_with_its_callers_credential()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var bench = await GrpcBench.Start(time: clock);
        bench.Caller.Result = GrpcBench.ManualCaller.Of(clock.GetUtcNow() + TimeSpan.FromSeconds(60));
        using var call = bench.Client.Listen(new() { Text = "silent", Times = 1 });
        Assert.True(await call.ResponseStream.MoveNext(default).WaitAsync(WaitLimit));
        var next = call.ResponseStream.MoveNext(default);
        clock.Advance(TimeSpan.FromSeconds(58));
        Assert.False(next.IsCompleted);

        await Eventually.True(() =>
        {
            clock.Advance(TimeSpan.FromMilliseconds(250));
            return next.IsCompleted;
        });

        Assert.Equal(StatusCode.Unauthenticated, (await Assert.ThrowsAsync<RpcException>(() => next)).StatusCode);
        Assert.True(await bench.Service.Last().Ended.WaitAsync(WaitLimit));
    }
}
