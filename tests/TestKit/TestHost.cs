using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Bff.TestKit;

/// <summary>
/// A real Kestrel host on a free loopback port, with its log recorded and every error and log line checked by a <see cref="LeakSentinel"/>.
/// </summary>
public sealed class TestHost : IAsyncDisposable
{
    private TestHost(WebApplication app, LogRecorder log)
    {
        App = app;
        Log = log;
        Address = new Uri(app.Urls.First());
        foreach (var url in app.Urls)
        {
            Leaks.Own(new Uri(url).Port);
        }

        Leaks.Configured(app.Configuration.AsEnumerable());
        Client = NewClient();
    }

    public WebApplication App { get; }

    public IServiceProvider Services => App.Services;

    public LogRecorder Log { get; }

    public LeakSentinel Leaks { get; } = new();

    /// <summary>Scheme, host and port.</summary>
    public Uri Address { get; }

    /// <summary>Follows no redirects, keeps no cookies, decompresses nothing.</summary>
    public HttpClient Client { get; }

    /// <summary>Starts a host: <paramref name="register"/> gets the builder, <paramref name="use"/> the application.</summary>
    public static async Task<TestHost> Start(
        Action<WebApplicationBuilder> register,
        Action<WebApplication> use,
        IEnumerable<KeyValuePair<string, string?>>? settings = null
    )
    {
        // No appsettings.json and no environment of the machine: a test says itself what is configured.
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { EnvironmentName = "Testing", ContentRootPath = AppContext.BaseDirectory }
        );
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection([new("Kestrel:Endpoints:Http:Url", "http://127.0.0.1:0")]);
        builder.Configuration.AddInMemoryCollection(settings ?? []);
        var log = new LogRecorder();
        builder.Logging.ClearProviders().AddProvider(log);
        register(builder);
        var app = builder.Build();
        use(app);
        await app.StartAsync();
        return new(app, log);
    }

    /// <summary>Another client, with its own connections.</summary>
    public HttpClient NewClient(SocketsHttpHandler? handler = null)
    {
        handler ??= new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ActivityHeadersPropagator = null,
        };
        return new(new LeakSentinelHandler(Leaks, handler)) { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(60) };
    }

    /// <summary>Stops the host; fails when anything leaked.</summary>
    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await App.StopAsync();
        await App.DisposeAsync();
        Leaks.Verify(Log);
    }
}
