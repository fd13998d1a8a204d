using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Bff.Caching;
using Bff.Composition;
using Bff.Configuration;
using Bff.Requests;
using Bff.Shared.Tests.Caching;
using Bff.TestKit;
using Bff.Upstreams;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bff.Shared.Tests.Composition;

/// <summary>Creates composers without a host, on a clock that the test moves.</summary>
internal sealed class ComposerBench : IAsyncDisposable
{
    /// <summary>JSON type information of a value whose content does not matter.</summary>
    public static readonly JsonTypeInfo<string> Text = TypeOf<string>();

    private readonly ILoggerFactory _logging = WatchedLogging.NewFactory();
    private readonly CacheInstance _cache;

    private ComposerBench(ManualTimeProvider clock, CacheInstance cache) => (Clock, _cache) = (clock, cache);

    public ManualTimeProvider Clock { get; }

    public FragmentCache Cache => _cache.Cache;

    public IFragmentInvalidator Invalidator => _cache.Invalidator;

    public static JsonTypeInfo<T> TypeOf<T>() => (JsonTypeInfo<T>)JsonSerializerOptions.Default.GetTypeInfo(typeof(T));

    public static async Task<ComposerBench> Start()
    {
        var clock = new ManualTimeProvider();
        return new(clock, await CacheInstance.Start(null, clock));
    }

    /// <summary>Creates a request that has reached its endpoint.</summary>
    /// <param name="caller">The caller of the request.</param>
    /// <param name="endpoint">The endpoint's name in the configuration.</param>
    /// <param name="settings">The configuration.</param>
    /// <param name="services">Further services of the endpoint.</param>
    public DefaultHttpContext Request(
        Caller caller,
        string endpoint,
        IEnumerable<KeyValuePair<string, string?>> settings,
        Action<IServiceCollection>? services = null
    )
    {
        var policies = new Reloadable<CompositionPolicies>(["Composition"], CompositionPolicies.Parse);
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        ((IReloadable)policies).Prepare(configuration, new ConfigurationMistakes())!();
        var all = new ServiceCollection().AddSingleton(
            new CompositionServices(Clock, Cache, policies, new UpstreamRegistry(Clock), _logging.CreateLogger<Composer>())
        );
        services?.Invoke(all);
        var context = new DefaultHttpContext { RequestServices = all.BuildServiceProvider() };
        context.SetEndpoint(new Endpoint(null, new EndpointMetadataCollection(new EndpointName(endpoint)), null));
        context.Features.Set(
            new BffRequest
            {
                HttpContext = context,
                RequestId = "r",
                CorrelationId = "c",
                StartTimestamp = Clock.GetTimestamp(),
                Caller = caller,
            }
        );
        return context;
    }

    /// <summary>Creates a composer of such a request. The test disposes of it.</summary>
    public async Task<Composer> NewComposer(Caller? caller = null, IEnumerable<KeyValuePair<string, string?>>? settings = null) =>
        (await Composer.BindAsync(Request(caller ?? Caller.Anonymous, "mix", settings ?? [])))!;

    public async ValueTask DisposeAsync()
    {
        await _cache.DisposeAsync();
        _logging.Dispose();
    }
}
