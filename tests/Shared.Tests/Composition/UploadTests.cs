using System.Text.Json.Nodes;
using Bff.TestKit;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Composition;

/// <summary>Tests files that a composition streams to a service.</summary>
public sealed class UploadTests : IAsyncLifetime
{
    private const string Head =
        "PUT /files/f-1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n";
    private readonly ManualTimeProvider _clock = new();
    private readonly TaskCompletionSource<string?> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RecipeBench _bench = null!;
    private string _received = "";

    public async Task InitializeAsync()
    {
        _bench = await RecipeBench.Start(
            null,
            services => services.AddSingleton<TimeProvider>(_clock),
            ("Composition:Deadline", "00:00:03"),
            ("Plans:free:MaxPayloadBytes", "1000"),
            ("Upstreams:shop:Retries", "0")
        );
        _bench.Answers["PUT /files/f-1"] = async context =>
        {
            var buffer = new byte[4096];
            int read;
            while ((read = await context.Request.Body.ReadAsync(buffer)) > 0)
            {
                _received += System.Text.Encoding.ASCII.GetString(buffer, 0, read);
                _first.TrySetResult(context.Request.ContentType);
            }

            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync("""{"id":"f-1"}""");
        };
    }

    public async Task DisposeAsync() => await _bench.DisposeAsync();

    [Fact]
    public async Task A_file_is_streamed_to_the_service_and_its_upload_time_does_not_count_toward_the_deadline()
    {
        using var sender = await RawSender.Start(_bench.Gateway.Address, Head + "5\r\nfirst\r\n");
        Assert.Equal("image/png", await _first.Task); // The service has received the first piece before the client sends the second.
        _clock.Advance(TimeSpan.FromSeconds(20));
        await sender.Send("6\r\nsecond\r\n0\r\n\r\n");
        var answer = await sender.Answer();

        Assert.Equal((201, "/files/f-1", "f-1"), (answer.Status, answer.Header("Location"), (string?)JsonNode.Parse(answer.Text)!["id"]));
        Assert.Equal("firstsecond", _received);
    }

    [Fact]
    public async Task A_file_that_is_too_large_is_refused_with_413()
    {
        using var sender = await RawSender.Start(_bench.Gateway.Address, Head + "5\r\nfirst\r\n");
        await _first.Task;
        await sender.Send("100000\r\n" + new string('a', 0x100000) + "\r\n");
        var answer = await sender.Answer();

        Assert.Equal((413, "payload_too_large"), (answer.Status, (string?)JsonNode.Parse(answer.Text)!["code"]));
    }

    [Fact]
    public async Task A_malformed_file_upload_is_refused_with_400()
    {
        using var sender = await RawSender.Start(_bench.Gateway.Address, Head + "5\r\nfirst\r\n");
        await _first.Task;
        await sender.Send("not a size\r\n");

        Assert.Equal(400, (await sender.Answer()).Status);
    }

    [Fact]
    public async Task A_client_that_stops_sending_is_answered_with_408()
    {
        using var sender = await RawSender.Start(_bench.Gateway.Address, Head + "5\r\nfirst\r\n");
        await _first.Task;
        var answer = sender.Answer();
        await Eventually.True(() =>
        {
            _clock.Advance(TimeSpan.FromSeconds(31)); // Repeats until the host waits for the body.
            return answer.IsCompleted;
        });

        Assert.Equal(408, (await answer).Status);
    }

    [Fact]
    public async Task A_refusal_of_the_service_reaches_the_client()
    {
        _bench.Says("PUT /files/f-1", """{"title":"No space"}""", 422);
        using var sender = await RawSender.Start(_bench.Gateway.Address, Head + "5\r\nfirst\r\n0\r\n\r\n");
        var answer = await sender.Answer();

        Assert.Equal((422, "No space"), (answer.Status, (string?)JsonNode.Parse(answer.Text)!["title"]));
    }

    [Fact]
    public async Task A_media_type_that_the_route_does_not_accept_is_refused_without_a_call()
    {
        using var sender = await RawSender.Start(
            _bench.Gateway.Address,
            Head.Replace("image/png", "text/html", StringComparison.Ordinal) + "5\r\nfirst\r\n0\r\n\r\n"
        );

        Assert.Equal(415, (await sender.Answer()).Status);
        Assert.Empty(_bench.Asked);
    }
}
