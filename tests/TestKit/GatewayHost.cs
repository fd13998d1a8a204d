using System.Net;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bff.TestKit;

/// <summary>
/// A gateway as it ships, on real Kestrel and a free port, within <see cref="Surroundings"/>. Its timeouts are generous by default, so that
/// a slow machine changes nothing; a test about a timeout sets that one.
/// </summary>
/// <typeparam name="TEntryPoint">Any public type of the host's assembly.</typeparam>
public sealed class GatewayHost<TEntryPoint> : IAsyncDisposable
    where TEntryPoint : class
{
    private readonly Factory _factory;
    private readonly SettingsSource _settings;

    private GatewayHost(
        Surroundings surroundings,
        IEnumerable<KeyValuePair<string, string?>> settings,
        Action<IServiceCollection>? services,
        string environment
    )
    {
        Surroundings = surroundings;
        _settings = new SettingsSource(settings);
        _factory = new Factory(_settings, Log, services, environment);
        _factory.UseKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _factory.StartServer();
        Address = Addresses.First();
        foreach (var address in Addresses)
        {
            Leaks.Own(address.Port);
        }

        Leaks.Configured(_factory.Services.GetRequiredService<IConfiguration>().AsEnumerable());
        Client = NewClient();
    }

    public Surroundings Surroundings { get; }

    public Uri Address { get; }

    /// <summary>All addresses that the host listens on; with <see cref="TlsEndpoint"/> one of them is https.</summary>
    public IEnumerable<Uri> Addresses =>
        _factory.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(a => new Uri(a));

    /// <summary>A client without redirects, cookies, decompression or proxy, which receives exactly what was sent.</summary>
    public HttpClient Client { get; }

    public LogRecorder Log { get; } = new();

    /// <summary>Checks every error that the clients of <see cref="NewClient"/> receive, and every log line.</summary>
    public LeakSentinel Leaks { get; } = new();

    public IServiceProvider Services => _factory.Services;

    /// <param name="surroundings">The surroundings; several hosts may share them.</param>
    /// <param name="settings">Further configuration, which overrides everything else.</param>
    /// <param name="services">Replaces services, such as the <see cref="TimeProvider"/>.</param>
    /// <param name="environment">The host's environment.</param>
    public static GatewayHost<TEntryPoint> Start(
        Surroundings surroundings,
        Dictionary<string, string?>? settings = null,
        Action<IServiceCollection>? services = null,
        string environment = "Development"
    )
    {
        return new(
            surroundings,
            Generous.Settings().WithAttempts(surroundings.Services).With(surroundings.GatewaySettings).With(settings),
            services,
            environment
        );
    }

    /// <summary>Returns Kestrel's settings for a further endpoint with TLS.</summary>
    public static Dictionary<string, string?> TlsEndpoint(IssuedCertificate certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return new()
        {
            ["Kestrel:Endpoints:Tls:Url"] = "https://127.0.0.1:0",
            ["Kestrel:Endpoints:Tls:Certificate:Path"] = certificate.CertificateFile,
            ["Kestrel:Endpoints:Tls:Certificate:KeyPath"] = certificate.KeyFile,
        };
    }

    /// <summary>Edits the configuration as a changed file would; null removes a key.</summary>
    public void Configure(params (string Key, string? Value)[] edits) => _settings.Edit(edits);

    public HttpClient NewClient() =>
        NewClient(
            Address,
            new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseCookies = false,
                UseProxy = false,
            }
        );

    /// <summary>Creates a client with a handler of its own, checked like the others.</summary>
    public HttpClient NewClient(Uri address, SocketsHttpHandler handler) =>
        new(new LeakSentinelHandler(Leaks, handler)) { BaseAddress = address };

    /// <summary>Creates a request with a user's token.</summary>
    public HttpRequestMessage Request(HttpMethod method, string path, string? user = "u-1001")
    {
        var request = new HttpRequestMessage(method, path);
        if (user is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Surroundings.Token(user));
        }

        return request;
    }

    public Task<HttpResponseMessage> Get(string path, string? user = "u-1001", CancellationToken cancellation = default) =>
        Client.SendAsync(Request(HttpMethod.Get, path, user), cancellation);

    /// <summary>Stops the host; fails if anything leaked.</summary>
    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _factory.DisposeAsync();
        Leaks.Verify(Log);
    }

    private sealed class Factory(SettingsSource settings, LogRecorder log, Action<IServiceCollection>? services, string environment)
        : WebApplicationFactory<TEntryPoint>
    {
        protected override void ConfigureWebHost(IWebHostBuilder builder)
        {
            builder.UseEnvironment(environment);
            builder.UseContentRoot(SourceFolder());
            // This setting affects what is registered, so it must be set before any source is added; likewise the next lines. No test edits
            // the host's files, and each watch takes one of the few that a user has.
            builder.UseSetting("hostBuilder:reloadConfigOnChange", "false");
            builder.UseSetting("Identity:SignedAssertion", settings["Identity:SignedAssertion"] ?? "false");
            // The other settings do not use UseSetting, which gives the host empty values for the sections above each key.
            builder.ConfigureAppConfiguration((_, configuration) => configuration.Add(settings));
            builder.ConfigureLogging(logging => logging.ClearProviders().AddProvider(log));
            builder.ConfigureTestServices(all =>
            {
                all.WithPatientClients();
                services?.Invoke(all);
            });
        }

        // The host reads its own appsettings.json in its source folder, as when it is started there.
        private static string SourceFolder() => Checkout.At("src", typeof(TEntryPoint).Assembly.GetName().Name!);
    }

    private sealed class SettingsSource(IEnumerable<KeyValuePair<string, string?>> settings) : ConfigurationProvider, IConfigurationSource
    {
        public string? this[string key] => settings.FirstOrDefault(s => s.Key.Equals(key, StringComparison.OrdinalIgnoreCase)).Value;

        public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

        public override void Load() => Data = new Dictionary<string, string?>(settings, StringComparer.OrdinalIgnoreCase);

        public void Edit((string Key, string? Value)[] edits)
        {
            var next = new Dictionary<string, string?>(Data, StringComparer.OrdinalIgnoreCase);
            foreach (var (key, value) in edits)
            {
                if (value is null)
                {
                    next.Remove(key);
                }
                else
                {
                    next[key] = value;
                }
            }

            Data = next;
            OnReload();
        }
    }
}
