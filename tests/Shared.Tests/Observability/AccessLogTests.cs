using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using System.Text.Json;
using Bff.Observability;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bff.Shared.Tests.Observability;

public sealed class AccessLogTests
{
    [Fact]
    public async Task Each_request_is_logged_in_one_line_without_secrets()
    {
        var output = new MemoryStream();
        await using (var host = await Start(output))
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/things/7?secret=hush-hush");
            request.Headers.TryAddWithoutValidation("X-Request-Id", "req-1");
            request.Headers.TryAddWithoutValidation("User-Agent", "app \"1\"");
            request.Headers.TryAddWithoutValidation("Cookie", "session=hush-hush");
            using var answer = await host.Client.SendAsync(request);
            using var missing = await host.Client.GetAsync("/nothing-here");
        }

        Assert.DoesNotContain("hush-hush", Encoding.UTF8.GetString(output.ToArray()), StringComparison.Ordinal);
        var lines = Written(output).ToList();
        Assert.Equal(2, lines.Count);
        var line = lines[0];
        Assert.Equal("GET", line.GetProperty("method").GetString());
        Assert.Equal("/things/{id}", line.GetProperty("route").GetString());
        Assert.Equal(200, line.GetProperty("status").GetInt32());
        Assert.Equal("req-1", line.GetProperty("requestId").GetString());
        Assert.Equal("app \"1\"", line.GetProperty("userAgent").GetString());
        Assert.Equal("127.0.0.1", line.GetProperty("client").GetString());
        Assert.Equal(JsonValueKind.Null, line.GetProperty("caller").ValueKind);
        Assert.True(line.GetProperty("durationMs").GetDouble() >= 0);
        Assert.Equal(404, lines[1].GetProperty("status").GetInt32());
    }

    [Fact]
    public async Task A_request_that_fails_unexpectedly_is_logged_with_500()
    {
        var output = new MemoryStream();
        await using (var host = await Start(output))
        {
            using var answer = await host.Client.GetAsync("/broken");
        }

        Assert.Equal(500, JsonDocument.Parse(output.ToArray().AsMemory()).RootElement.GetProperty("status").GetInt32());
    }

    [Fact]
    public void A_line_that_does_not_fit_into_the_queue_is_dropped_and_counted_without_waiting()
    {
        var (here, dropped) = (Environment.CurrentManagedThreadId, 0L); // Other hosts in the process use the same instrument.
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, all) =>
        {
            if (instrument.Name == "bff.accesslog.dropped")
            {
                all.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((_, count, _, _) => dropped += Environment.CurrentManagedThreadId == here ? count : 0);
        listener.Start();
        using var logging = WatchedLogging.NewFactory();
        // The log is not started, so its queue is never emptied.
        using var log = new AccessLog(new AccessLogOptions(), logging.CreateLogger<AccessLog>());

        for (var i = 0; i < 16_384 + 2; i++)
        {
            log.Write(default);
        }

        Assert.Equal(2, dropped);
    }

    [Fact]
    public async Task Queued_lines_are_written_completely_and_in_order()
    {
        const int Lines = 5000; // The log writes about 500 lines at once.
        var written = await Logged(Enumerable.Range(0, Lines).Select(i => Line(i, IPAddress.Loopback)));

        Assert.Equal(Enumerable.Range(0, Lines), written.Select(l => l.GetProperty("status").GetInt32()));
    }

    [Theory]
    [InlineData("192.0.2.7")]
    [InlineData("::ffff:192.0.2.7")]
    [InlineData("fe80:1111:2222:3333:4444:5555:6666:7777%4294967295")]
    [InlineData(null)]
    public async Task The_clients_address_is_written_in_its_usual_form(string? client)
    {
        var written = await Logged([Line(200, client is null ? null : IPAddress.Parse(client))]);

        Assert.Equal(client, Assert.Single(written).GetProperty("client").GetString());
    }

    /// <summary>Returns the lines that a log writes when they are queued before it starts.</summary>
    private static async Task<IEnumerable<JsonElement>> Logged(IEnumerable<AccessLogLine> lines)
    {
        var output = new MemoryStream();
        using var logging = WatchedLogging.NewFactory();
        using var log = new AccessLog(new AccessLogOptions { Output = output }, logging.CreateLogger<AccessLog>());
        foreach (var line in lines)
        {
            log.Write(line);
        }

        await log.StartAsync(CancellationToken.None);
        await log.StopAsync(CancellationToken.None);
        return Written(output);
    }

    private static AccessLogLine Line(int status, IPAddress? client) =>
        new(DateTimeOffset.UnixEpoch, "GET", "/things/{id}", status, null, 1.5, "req-1", null, null, null, client, null, []);

    private static IEnumerable<JsonElement> Written(MemoryStream output) =>
        Encoding
            .UTF8.GetString(output.ToArray())
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement);

    private static Task<TestHost> Start(MemoryStream output) =>
        TestHost.Start(
            builder =>
            {
                builder.AddBffDefaults();
                builder.Services.AddSingleton(new AccessLogOptions { Output = output });
            },
            app =>
            {
                app.UseBffPipeline();
                app.MapGet("/things/{id}", (string id) => id).AllowAnonymous();
                app.MapGet("/broken", (HttpContext _) => throw new InvalidOperationException("on purpose")).AllowAnonymous();
            }
        );
}
