using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Bff.TestKit;

/// <summary>One request that arrived.</summary>
public sealed record Received(string Path, string Id, string Timestamp, string Signature, string Body)
{
    public string Type => (string)JsonNode.Parse(Body)!["type"]!;

    public int Number => (int)JsonNode.Parse(Body)!["data"]!["n"]!;
}

/// <summary>A partner's server on a free loopback port; answers 204 unless the test says otherwise.</summary>
public sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication _app;

    private Receiver(WebApplication app) => _app = app;

    public ConcurrentQueue<Received> All { get; } = new();

    public Func<Received, HttpContext, Task> Answer { get; set; } = Accept;

    public string Url => _app.Urls.First();

    public static async Task<Receiver> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration["urls"] = "http://127.0.0.1:0";
        var app = builder.Build();
        var receiver = new Receiver(app);
        app.Run(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            var headers = context.Request.Headers;
            var received = new Received(
                context.Request.Path,
                headers["webhook-id"].ToString(),
                headers["webhook-timestamp"].ToString(),
                headers["webhook-signature"].ToString(),
                await reader.ReadToEndAsync()
            );
            receiver.All.Enqueue(received);
            await receiver.Answer(received, context);
        });
        await app.StartAsync();
        return receiver;
    }

    /// <summary>Sets the status of all further answers.</summary>
    public void AnswerWith(int status) =>
        Answer = (_, context) =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        };

    public static Task Accept(Received received, HttpContext context)
    {
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    /// <summary>Behaves like a server that hangs: sends nothing until the caller disconnects.</summary>
    public static Task Hang(Received received, HttpContext context) => Task.Delay(Timeout.Infinite, context.RequestAborted);

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }
}
