using System.Net;
using System.Text;
using Bff.Admission;
using Bff.Requests;
using Bff.TestKit;
using Bff.TestKit.Calls;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Web;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Routes;

/// <summary>Tests that the gateway refuses calls on a gRPC route with gRPC statuses.</summary>
public sealed class GrpcRefusalTests
{
    public static TheoryData<GrpcWebMode?> Forms => GrpcRouteTests.Forms;

    [Theory, MemberData(nameof(Forms))]
    public async Task Callers_are_refused_with_gRPC_statuses(GrpcWebMode? web)
    {
        await using var bench = await GrpcBench.Start();
        var client = new Talk.TalkClient(bench.Channel(web));

        bench.Caller.Result = Bff.Callers.CallerResult.None;
        await Refused(client, StatusCode.Unauthenticated, "missing_token");
        bench.Caller.Result = Bff.Callers.CallerResult.Refused(ProblemCodes.TokenExpired);
        await Refused(client, StatusCode.Unauthenticated, "token_expired");
        bench.Caller.Result = GrpcBench.ManualCaller.Of(DateTimeOffset.MaxValue, "other");
        await Refused(client, StatusCode.PermissionDenied, "insufficient_scope");
        Assert.Empty(bench.Service.Calls);
    }

    [Theory, MemberData(nameof(Forms))]
    public async Task Rate_limits_are_refused_with_a_gRPC_status_and_Retry_After(GrpcWebMode? web)
    {
        await using var bench = await GrpcBench.Start(new() { ["Plans:free:RequestsPerMinute"] = "1", ["Plans:free:Burst"] = "1" });
        var client = new Talk.TalkClient(bench.Channel(web));
        await client.OnceAsync(new() { Text = "hello" });

        using var call = client.OnceAsync(new() { Text = "hello" });
        var refused = await GrpcBench.Fails(call);
        Assert.Equal(
            (StatusCode.ResourceExhausted, true),
            (refused.StatusCode, refused.Status.Detail.StartsWith("rate_limit_exceeded: ", StringComparison.Ordinal))
        );

        var told = web is null ? refused.Trailers : await call.ResponseHeadersAsync; // gRPC-Web sends this header beside the trailers.
        Assert.InRange(int.Parse(told.GetValue("retry-after")!, System.Globalization.CultureInfo.InvariantCulture), 1, 60);
    }

    [Theory, MemberData(nameof(Forms))]
    public async Task A_message_that_is_too_large_is_refused_and_does_not_open_the_breaker(GrpcWebMode? web)
    {
        await using var bench = await GrpcBench.Start(
            new()
            {
                ["Plans:free:MaxPayloadBytes"] = "1000",
                ["Upstreams:talk:Breaker:MinimumThroughput"] = "2",
                ["Upstreams:talk:Breaker:FailureRatio"] = "0.01",
            }
        );
        var client = new Talk.TalkClient(bench.Channel(web));
        for (var i = 0; i < 5; i++)
        {
            var refused = await GrpcBench.Fails(client.OnceAsync(new() { Data = ByteString.CopyFrom(new byte[1001]) }));
            Assert.Equal(StatusCode.ResourceExhausted, refused.StatusCode);
            Assert.StartsWith("payload_too_large", refused.Status.Detail, StringComparison.Ordinal);
        }

        Assert.Equal(900, (await client.OnceAsync(new() { Data = ByteString.CopyFrom(new byte[900]) })).Data.Length);
    }

    [Theory, MemberData(nameof(Forms))]
    public async Task A_service_that_is_down_is_reported_as_unavailable(GrpcWebMode? web)
    {
        await using var bench = await GrpcBench.Start(new() { ["Upstreams:talk:Address"] = "http://127.0.0.1:1" });

        await Refused(new(bench.Channel(web)), StatusCode.Unavailable, "upstream_failed");
    }

    [Theory, MemberData(nameof(Forms))]
    public async Task An_answer_without_gRPC_becomes_a_gRPC_status(GrpcWebMode? web)
    {
        await using var page = await TestHost.Start(
            _ => { },
            app =>
                app.Run(async context =>
                {
                    context.Response.StatusCode = context.Request.Headers.TryGetValue("x-device", out var status)
                        ? int.Parse(status!, System.Globalization.CultureInfo.InvariantCulture)
                        : 200;
                    context.Response.ContentType = "text/html";
                    await context.Response.WriteAsync("<h1>upstream-7.internal</h1>");
                }),
            new Dictionary<string, string?> { ["Kestrel:Endpoints:Http:Protocols"] = "Http2" }
        );
        await using var bench = await GrpcBench.Start(
            new() { ["Upstreams:talk:Address"] = page.Address.ToString(), ["Upstreams:talk:Breaker:MinimumThroughput"] = "1000" }
        );
        var client = new Talk.TalkClient(bench.Channel(web));
        foreach (
            var (status, expected) in new[]
            {
                ("200", StatusCode.Unavailable),
                ("500", StatusCode.Unavailable),
                ("503", StatusCode.Unavailable),
                ("401", StatusCode.Unauthenticated),
                ("403", StatusCode.PermissionDenied),
                ("404", StatusCode.Unimplemented),
                ("429", StatusCode.ResourceExhausted),
            }
        )
        {
            var failed = await GrpcBench.Fails(client.OnceAsync(new(), [new("x-device", status)]));
            Assert.Equal((status, expected), (status, failed.StatusCode));
            Assert.DoesNotContain("internal>", failed.Status.Detail, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_full_host_refuses_a_call_as_unavailable()
    {
        await using var bench = await GrpcBench.Start(new() { ["Admission:MaxConcurrency"] = "1", ["Admission:MaxQueue"] = "0" });
        using var first = bench.Client.OnceAsync(new() { Text = "hang" });
        await Eventually.True(() => bench.Service.Calls.Count == 1);

        var refused = await Refused(bench.Client, StatusCode.Unavailable, "overloaded");

        Assert.Equal("1", refused.Trailers.GetValue("retry-after"));
    }

    /// <summary>A client that opens streams and sends nothing holds neither the host's slots nor places of the service.</summary>
    [Fact]
    public async Task A_stream_whose_client_is_silent_holds_no_slot_and_no_place_of_the_service()
    {
        await using var bench = await GrpcBench.Start(
            new()
            {
                ["Admission:MaxConcurrency"] = "1",
                ["Admission:MaxQueue"] = "0",
                ["Upstreams:talk:MaxConcurrency"] = "1",
                ["Upstreams:talk:MaxQueue"] = "0",
            }
        );
        var silent = new List<AsyncDuplexStreamingCall<Said, Said>>();
        for (var i = 0; i < 2; i++)
        {
            var chat = bench.Client.Chat();
            silent.Add(chat);
            await Eventually.True(() => bench.Service.Calls.Count == i + 1);
            await Eventually.True(() => bench.Gateway.Services.GetRequiredService<AdmissionGate>().InFlight == 0);
        }

        Assert.Equal("hello", (await bench.Client.OnceAsync(new() { Text = "hello" })).Text);
        silent.ForEach(chat => chat.Dispose());
    }

    [Fact]
    public async Task An_unknown_method_is_unimplemented()
    {
        await using var bench = await GrpcBench.Start(new() { ["ReverseProxy:Routes:talk:Match:Path"] = "/elsewhere/{method}" });

        await Refused(bench.Client, StatusCode.Unimplemented, "not_found");
    }

    [Theory]
    [InlineData("5")]
    [InlineData("123456789S")]
    [InlineData("-1S")]
    [InlineData("S")]
    [InlineData("1s")]
    public async Task A_deadline_that_cannot_be_read_is_refused(string timeout)
    {
        await using var bench = await GrpcBench.Start();
        using var request = Request(bench.Http2, "application/grpc");
        request.Headers.TryAddWithoutValidation("grpc-timeout", timeout);
        using var answer = await bench.Gateway.Client.SendAsync(request);
        await answer.Content.ReadAsByteArrayAsync();

        Assert.Equal(
            (HttpStatusCode.OK, "application/grpc", "3"),
            (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType, answer.TrailingHeaders.GetValues("grpc-status").Single())
        );
        Assert.Empty(bench.Service.Calls);
    }

    [Theory]
    [InlineData("application/json", 2)]
    [InlineData("application/grpc", 1)]
    [InlineData("application/grpc-web+proto", 1, false)]
    [InlineData("application/grpcs", 2)]
    public async Task A_request_that_is_not_gRPC_is_refused_with_a_problem_document(string type, int version, bool web = true)
    {
        await using var bench = await GrpcBench.Start(new() { ["ReverseProxy:Routes:talk:Metadata:GrpcWeb"] = web ? "true" : "false" });
        using var request = Request(version == 2 ? bench.Http2 : bench.Http1, type);
        request.Version = new Version(version, version == 2 ? 0 : 1);
        using var answer = await bench.Gateway.Client.SendAsync(request);

        Assert.Equal(
            (HttpStatusCode.UnsupportedMediaType, "application/problem+json"),
            (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType)
        );
        Assert.Empty(bench.Service.Calls);
    }

    [Theory]
    [InlineData("")]
    [InlineData("AAAA")]
    [InlineData("AAA=AAA=")]
    [InlineData("A")]
    [InlineData("?AAAAAAA")]
    public async Task An_invalid_gRPC_Web_text_is_refused_and_does_not_open_the_breaker(string text)
    {
        await using var bench = await GrpcBench.Start(
            new() { ["Upstreams:talk:Breaker:MinimumThroughput"] = "2", ["Upstreams:talk:Breaker:FailureRatio"] = "0.01" }
        );
        for (var i = 0; i < 4; i++)
        {
            using var request = Request(bench.Http1, "application/grpc-web-text");
            request.Version = HttpVersion.Version11;
            request.Content = new ByteArrayContent(Encoding.ASCII.GetBytes(text))
            {
                Headers = { ContentType = new("application/grpc-web-text") },
            };
            using var answer = await bench.Gateway.Client.SendAsync(request);
            var trailers = Encoding.ASCII.GetString(Convert.FromBase64String(await answer.Content.ReadAsStringAsync()));
            Assert.Contains("grpc-status: ", trailers, StringComparison.Ordinal);
            Assert.DoesNotContain("grpc-status: 0", trailers, StringComparison.Ordinal);
        }

        Assert.Equal("hello", (await bench.Client.OnceAsync(new() { Text = "hello" })).Text);
    }

    private static HttpRequestMessage Request(Uri gateway, string type) =>
        new(HttpMethod.Post, new Uri(gateway, "/bff.test.v1.Talk/Once"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(new byte[5]) { Headers = { ContentType = new(type) } },
        };

    private static async Task<RpcException> Refused(Talk.TalkClient client, StatusCode status, string code)
    {
        var refused = await GrpcBench.Fails(client.OnceAsync(new() { Text = "hello" }));
        Assert.Equal(status, refused.StatusCode);
        Assert.StartsWith(code + ": ", refused.Status.Detail, StringComparison.Ordinal);
        return refused;
    }
}
