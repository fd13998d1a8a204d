using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Bff.Callers;
using Bff.Configuration;
using Bff.Dev.Upstreams;
using Bff.Edge;
using Bff.Upstreams;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Bff.Shared.Tests.Upstreams;

/// <summary>Typed clients over the real sample services, without a host around them.</summary>
internal sealed class UpstreamBench : IAsyncDisposable
{
    private static readonly IServiceProvider Network = new ServiceCollection().AddMetrics().AddHttpClient().BuildServiceProvider();

    private readonly TimeProvider _time;
    private readonly Reloadable<ClientRegistrations> _clients = new(["Clients"], ClientRegistrations.Parse);
    private UpstreamSender? _sender;

    private UpstreamBench(SampleServices services, TimeProvider time)
    {
        Services = services;
        _time = time;
        Registry = new UpstreamRegistry(time);
    }

    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(60);

    public static JsonTypeInfo<JsonElement> Any { get; } = (JsonTypeInfo<JsonElement>)JsonSerializerOptions.Default.GetTypeInfo(typeof(JsonElement));

    public SampleServices Services { get; }

    public UpstreamRegistry Registry { get; }

    public UpstreamSender Sender => _sender ??= new(Registry, tokens: new ServiceTokens(
        _clients, Network.GetRequiredService<IHttpClientFactory>(), new TokenMetrics(Network.GetRequiredService<IMeterFactory>()), _time, NullLogger<ServiceTokens>.Instance));

    public static async Task<UpstreamBench> StartAsync(TimeProvider? time = null, params (string Key, string Value)[] settings)
    {
        var bench = new UpstreamBench(await SampleServices.StartAsync(), time ?? TimeProvider.System);
        bench.Configure(settings);
        return bench;
    }

    /// <summary>The services' addresses with a time-out that no slow machine reaches, and these settings.</summary>
    public void Configure(params (string Key, string Value)[] settings)
    {
        var all = new Dictionary<string, string?>(Services.GatewaySettings, StringComparer.OrdinalIgnoreCase);
        foreach (var service in Services.All)
        {
            all[$"Upstreams:{service.Name}:Timeout"] = "00:00:30";
        }

        foreach (var (key, value) in settings)
        {
            all[key] = value;
        }

        var mistakes = new ConfigurationMistakes();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(all).Build();
        if (((IReloadable)_clients).Prepare(configuration, mistakes) is { } apply)
        {
            apply();
            ((IReloadable)_clients).Announce();
        }

        Registry.Apply(UpstreamRegistry.Parse(configuration, mistakes));
        Assert.Empty(mistakes.All);
    }

    public UpstreamClient Client(string name) => new(name, Sender);

    public CallContext Call(Caller? caller = null, TimeSpan? within = null, CancellationToken cancellation = default) =>
        new(Request(caller), _time.GetTimestamp() + (long)((within ?? Patience).TotalSeconds * _time.TimestampFrequency), cancellation);

    public static BffRequest Request(Caller? caller = null) =>
        new() { RequestId = "r-1", CorrelationId = "c-1", StartTimestamp = 0, Caller = caller ?? Caller.Anonymous };

    public static Caller User(string subject, string? tenant = null, bool sandbox = false) =>
        new() { Subject = subject, Kind = CallerKind.Token, Tenant = tenant, IsSandbox = sandbox };

    public async ValueTask DisposeAsync()
    {
        Registry.Dispose();
        await Services.DisposeAsync();
    }
}
