using System.Net;
using System.Text.Json;
using System.Xml.Linq;
using Bff.Life;
using Bff.Shared.Tests.State;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bff.Shared.Tests.Life;

public sealed class HostLifeTests : IDisposable
{
    private readonly ManualTimeProvider _clock = new();
    private readonly LogRecorder _log = new();
    private readonly LeakSentinel _leaks = new();

    public void Dispose()
    {
        _log.Dispose();
        _leaks.Verify(_log);
    }

    [Theory, InlineData("/health"), InlineData("/health/live"), InlineData("/health/ready")]
    public async Task A_health_probe_needs_no_credential_and_returns_status_and_time(string path)
    {
        await using var host = await Start();
        using var client = Client(host);
        await Eventually.True(() => host.Services.GetRequiredService<HostLife>().IsReady);

        using var answer = await client.GetAsync(path);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        Assert.Equal("healthy", document.RootElement.GetProperty("status").GetString());
        Assert.EndsWith("Z", document.RootElement.GetProperty("timestamp").GetString(), StringComparison.Ordinal);
        Assert.Equal(_clock.GetUtcNow(), document.RootElement.GetProperty("timestamp").GetDateTimeOffset());
        Assert.Equal(2, document.RootElement.EnumerateObject().Count());
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(path + "/x")).StatusCode);
    }

    [Fact]
    public async Task The_start_writes_no_keys_to_the_disk()
    {
        var keys = new Keys();
        await using var host = await TestHost.Start(
            builder => builder.AddBffDefaults().Services.Configure<KeyManagementOptions>(options => options.XmlRepository = keys),
            app => app.UseBffPipeline()
        );

        Assert.False(keys.IsAsked);
    }

    [Fact]
    public async Task A_host_that_lacks_a_required_dependency_is_alive_but_not_ready()
    {
        var check = new Check();
        await using var host = await Start(services => services.AddSingleton<IReadinessCheck>(check));
        using var client = Client(host);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync("/health/ready")).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync("/health")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health/live")).StatusCode);

        check.IsReady = true;
        await Eventually.True(() => host.Services.GetRequiredService<HostLife>().IsReady);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/health/ready")).StatusCode);
    }

    [Fact]
    public async Task A_host_becomes_ready_after_its_warm_up_even_when_the_warm_up_failed()
    {
        var warmup = new Warmup();
        await using var host = await Start(services => services.AddSingleton<IWarmup>(warmup));
        using var client = Client(host);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GetAsync("/health/ready")).StatusCode);

        warmup.Done.SetException(new InvalidOperationException("cold"));

        await RedisStateTests.Until(async () => (await client.GetAsync("/health/ready")).IsSuccessStatusCode);
        Assert.Contains(_log.Entries, e => e.Level == LogLevel.Warning && e.Message.Contains("Warmup", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Warm_ups_run_concurrently_and_the_host_is_ready_after_the_last()
    {
        var (one, other) = (new Warmup(), new Warmup());
        await using var host = await Start(services => services.AddSingleton<IWarmup>(one).AddSingleton<IWarmup>(other));

        await Task.WhenAll(one.Begun.Task, other.Begun.Task).WaitAsync(TimeSpan.FromSeconds(30));
        other.Done.SetResult();
        Assert.False(host.Services.GetRequiredService<HostLife>().IsReady);

        one.Done.SetResult();
        await Eventually.True(() => host.Services.GetRequiredService<HostLife>().IsReady);
    }

    [Fact]
    public async Task A_stopping_host_first_reports_unready_then_drains_and_finishes_requests_in_flight()
    {
        var drainable = new Drainable();
        await using var host = await Start(services => services.AddSingleton<IDrainable>(drainable));
        using var client = Client(host);
        var life = host.Services.GetRequiredService<HostLife>();
        var inFlight = client.GetAsync("/slow");
        await Slow.Arrived.Task.WaitAsync(TimeSpan.FromSeconds(30));
        var ended = host.WaitForShutdownAsync();

        host.Lifetime.StopApplication(); // SIGTERM does the same.
        await _log.Until(e => e.Message.Contains("The host is no longer ready", StringComparison.Ordinal));

        using (var ready = await client.GetAsync("/health/ready"))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        }

        using (var live = await client.GetAsync("/health/live"))
        {
            Assert.Equal(HttpStatusCode.OK, live.StatusCode);
            Assert.True(live.Headers.ConnectionClose);
        }

        Assert.False(life.Draining.IsCancellationRequested);
        Assert.False(drainable.Called.Task.IsCompleted);

        await RedisStateTests.Until(() =>
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            return Task.FromResult(drainable.Called.Task.IsCompleted);
        });
        Assert.True(life.Draining.IsCancellationRequested);
        Assert.False(ended.IsCompleted);

        Slow.Go.SetResult();
        Assert.Equal("done", await (await inFlight).Content.ReadAsStringAsync());
        await ended.WaitAsync(TimeSpan.FromSeconds(30));
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync("/health/live"));
    }

    private SlowEndpoint Slow { get; } = new();

    private async Task<WebApplication> Start(Action<IServiceCollection>? services = null)
    {
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { EnvironmentName = "Testing", ContentRootPath = AppContext.BaseDirectory }
        );
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection([new("Kestrel:Endpoints:Http:Url", "http://127.0.0.1:0")]);
        builder.Logging.ClearProviders().AddProvider(_log);
        builder.Services.AddSingleton<TimeProvider>(_clock);
        builder.AddBffDefaults();
        services?.Invoke(builder.Services);
        var app = builder.Build();
        app.UseBffPipeline();
        app.MapGet(
                "/slow",
                async () =>
                {
                    Slow.Arrived.SetResult();
                    await Slow.Go.Task;
                    return "done";
                }
            )
            .AllowAnonymous();
        await app.StartAsync();
        return app;
    }

    private HttpClient Client(WebApplication host)
    {
        var address = new Uri(host.Urls.First());
        _leaks.Own(address.Port);
        return new(new LeakSentinelHandler(_leaks, new SocketsHttpHandler { UseProxy = false }))
        {
            BaseAddress = address,
            Timeout = TimeSpan.FromSeconds(60),
        };
    }

    private sealed class SlowEndpoint
    {
        public TaskCompletionSource Arrived { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Go { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>The store where the framework would keep keys for data protection.</summary>
    private sealed class Keys : IXmlRepository
    {
        public bool IsAsked { get; private set; }

        public IReadOnlyCollection<XElement> GetAllElements()
        {
            IsAsked = true;
            return [];
        }

        public void StoreElement(XElement element, string friendlyName) => IsAsked = true;
    }

    private sealed class Check : IReadinessCheck
    {
        public string Name => "keys";

        public bool IsReady { get; set; }
    }

    private sealed class Warmup : IWarmup
    {
        public TaskCompletionSource Begun { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Warm(CancellationToken cancellation)
        {
            Begun.TrySetResult();
            return Done.Task;
        }
    }

    private sealed class Drainable : IDrainable
    {
        public TaskCompletionSource Called { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Drain(CancellationToken cancellation)
        {
            Called.TrySetResult();
            return Task.CompletedTask;
        }
    }
}
