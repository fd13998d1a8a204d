using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Bff.TestKit;

/// <summary>
/// A real Kestrel host on a free loopback port. Its log is recorded, and a <see cref="LeakSentinel"/> checks every error and log line.
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

    /// <summary>A client without redirects, cookies or decompression.</summary>
    public HttpClient Client { get; }

    /// <summary>Starts a host: <paramref name="register"/> gets the builder, <paramref name="use"/> the application.</summary>
    public static async Task<TestHost> Start(
        Action<WebApplicationBuilder> register,
        Action<WebApplication> use,
        IEnumerable<KeyValuePair<string, string?>>? settings = null
    )
    {
        // Ignores appsettings.json and the machine's environment: a test configures everything itself.
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

    /// <summary>Creates a further client with connections of its own.</summary>
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

    /// <summary>Stops the host; fails if anything leaked.</summary>
    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await App.StopAsync();
        await App.DisposeAsync();
        Leaks.Verify(Log);
    }
}
