using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Bff.Concurrency;
using Bff.Configuration;
using Bff.Dev.Upstreams;
using Bff.RateLimiting;
using Bff.Requests;
using Bff.Shared.Tests.Composition;
using Bff.Tenancy;
using Bff.TestKit;
using Bff.Upstreams;
using Bff.Upstreams.Tokens;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Refit;

namespace Bff.Shared.Tests.Upstreams;

/// <summary>Runs typed clients against the real sample services, without a host.</summary>
internal sealed class UpstreamBench : IAsyncDisposable
{
    private static readonly IServiceProvider Network = new ServiceCollection().AddMetrics().AddHttpClient().BuildServiceProvider();

    private readonly TimeProvider _time;
    private readonly LoggerFactory _logging = new();
    private readonly Reloadable<ClientRegistrations> _clients = new(["Clients"], ClientRegistrations.Parse);
    private UpstreamSender? _sender;
    private IReadOnlyDictionary<string, Tenant> _tenants = new Dictionary<string, Tenant>();

    private UpstreamBench(SampleServices services, TimeProvider time)
    {
        Services = services;
        _time = time;
        Registry = new UpstreamRegistry(time, new Logger<UpstreamLog>(_logging));
        _logging.AddProvider(Log);
    }

    public static TimeSpan WaitLimit { get; } = TimeSpan.FromSeconds(60);

    public static JsonTypeInfo<JsonElement> Any { get; } =
        (JsonTypeInfo<JsonElement>)JsonSerializerOptions.Default.GetTypeInfo(typeof(JsonElement));

    public SampleServices Services { get; }

    public UpstreamRegistry Registry { get; }

    /// <summary>The log of the upstreams.</summary>
    public LogRecorder Log { get; } = new();

    /// <summary>Makes the clients of token endpoints: the gateway's own, unless it is set before the first call.</summary>
    public IHttpClientFactory TokenEndpoints { get; set; } = Network.GetRequiredService<IHttpClientFactory>();

    public UpstreamSender Sender =>
        _sender ??= new(
            Registry,
            tokens: new ServiceTokens(
                _clients,
                TokenEndpoints,
                new TokenMetrics(Network.GetRequiredService<IMeterFactory>()),
                _time,
                NullLogger<ServiceTokens>.Instance
            )
        );

    public static async Task<UpstreamBench> StartAsync(TimeProvider? time = null, params (string Key, string Value)[] settings)
    {
        var bench = new UpstreamBench(await SampleServices.StartAsync(), time ?? TimeProvider.System);
        bench.Configure(settings);
        return bench;
    }

    /// <summary>Applies these settings, with the services' addresses and a timeout that even a slow machine does not reach.</summary>
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
        _tenants = LimitSettingsReader.Read(configuration, PlanFamily.Users, mistakes).Tenants;
        Assert.Empty(mistakes.All);
    }

    public UpstreamClient Client(string name) => new(name, Sender);

    public CallContext Call(Caller? caller = null, TimeSpan? within = null, CancellationToken cancellation = default) =>
        new(Request(caller, _tenants.GetValueOrDefault(caller?.Tenant ?? "")), Deadline.In(within ?? WaitLimit, _time), cancellation);

    public static BffRequest Request(Caller? caller = null, Tenant? tenant = null) =>
        new()
        {
            RequestId = "r-1",
            CorrelationId = "c-1",
            StartTimestamp = 0,
            Caller = caller ?? Caller.Anonymous,
            Tenant = tenant,
        };

    public static Caller User(string subject, string? tenant = null, bool sandbox = false) =>
        new()
        {
            Subject = subject,
            Kind = CallerKind.Token,
            Tenant = tenant,
            IsSandbox = sandbox,
        };

    /// <summary>Returns a GraphQL query of a generated client.</summary>
    public static UpstreamCall<PriceData> Price(UpstreamClient pricing, string productId) =>
        UpstreamsRegistration
            .Generated<ISamplePricing>(pricing)
            .Ask(new("query($id: ID!) { pricing(productId: $id) { productId } }", new(productId)))
            .Query(data => data, SampleJson.Default.PriceData);

    /// <summary>Moves the clock through a call's pauses between attempts.</summary>
    public static async Task<T> Pausing<T>(ManualTimeProvider time, Task<T> pending)
    {
        while (!pending.IsCompleted)
        {
            if (time.NextDue < TimeSpan.FromMilliseconds(90))
            {
                time.Advance(TimeSpan.FromMilliseconds(1));
            }

            await Task.WhenAny(pending, Task.Delay(1));
        }

        return await pending;
    }

    public async ValueTask DisposeAsync()
    {
        Registry.Dispose();
        await Services.DisposeAsync();
    }
}

/// <summary>Makes calls without a typed client, for tests of the layers below.</summary>
internal static class PlainCalls
{
    public static ValueTask<UpstreamAnswer<T>> Get<T>(this UpstreamClient client, string path, JsonTypeInfo<T> type, CallContext call) =>
        client.Make(path, Message(HttpMethod.Get, path), type, call);

    public static ValueTask<UpstreamAnswer<UpstreamFile>> GetFile(this UpstreamClient client, string path, CallContext call) =>
        client.GetFile(Message(HttpMethod.Get, path), call);

    public static ValueTask<UpstreamAnswer<T>> Write<T>(
        this UpstreamClient client,
        HttpMethod method,
        string path,
        byte[] body,
        JsonTypeInfo<T> type,
        CallContext call,
        string? key = null
    )
    {
        var message = Message(method, path);
        message.Content = new JsonBytes(body);
        if (key is not null)
        {
            message.Headers.Add("Idempotency-Key", key);
        }

        return client.Make(path, message, type, call);
    }

    private static HttpRequestMessage Message(HttpMethod method, string path) => new(method, new Uri(path, UriKind.Relative));
}

public sealed record PriceData(JsonElement Pricing);

public sealed record PriceVariables(string Id);

public interface ISamplePricing
{
    [Post("/graphql")]
    UpstreamCall<GraphQlAnswer<PriceData>> Ask([Body] GraphQlQuery<PriceVariables> query);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(GraphQlAnswer<PriceData>))]
[JsonSerializable(typeof(GraphQlQuery<PriceVariables>))]
[JsonSerializable(typeof(JsonElement))]
[JsonSerializable(typeof(SampleOrder))]
[JsonSerializable(typeof(Customer))]
[JsonSerializable(typeof(Item))]
[JsonSerializable(typeof(Items))]
[JsonSerializable(typeof(Quote))]
[JsonSerializable(typeof(Amount))]
[JsonSerializable(typeof(int))]
[JsonSerializable(typeof(Position))]
[JsonSerializable(typeof(Draft))]
[JsonSerializable(typeof(Stored))]
[JsonSerializable(typeof(CursorPage<Entry>))]
[JsonSerializable(typeof(Account))]
internal sealed partial class SampleJson : JsonSerializerContext;

internal sealed class Calls<T>() : DeclaredCalls<T>(SampleJson.Default);

internal sealed class Writes<T>() : DeclaredWrites<T>(SampleJson.Default);
