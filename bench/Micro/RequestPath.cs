using BenchmarkDotNet.Attributes;
using Bff.Caching;
using Bff.Callers;
using Bff.Callers.ApiKeys;
using Bff.Callers.Bearer;
using Bff.Composition;
using Bff.RateLimiting;
using Bff.Requests;
using Bff.Upstreams;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Benchmarks;

/// <summary>Measures, one by one, the stages of a request that never wait.</summary>
#pragma warning disable CA1001 // GlobalCleanup disposes of it.
public class RequestPath
#pragma warning restore CA1001
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private readonly ServiceProblem _document = new("kept", null, null);
    private Gateway _gateway = null!;
    private ICallerSource _tokens = null!,
        _keys = null!;
    private DefaultHttpContext _withToken = null!,
        _withKey = null!;
    private LimitDecider _decider = null!;
    private LimitSet _limits = null!;
    private FragmentCache _cache = null!;
    private FragmentRequest<ServiceProblem> _fragment;
    private CompositionServices _composition = null!;
    private CompositionWarmup.IWarmUp _client = null!;

    /// <summary>Starts a gateway and makes it remember a token, a key, a lease and a fragment.</summary>
    [GlobalSetup]
    public async Task Start()
    {
        _gateway = await Gateway.Start();
        var sources = _gateway.Services.GetServices<ICallerSource>().ToList();
        (_tokens, _keys) = (sources.OfType<BearerTokens>().Single(), sources.OfType<ApiKeySource>().Single());
        _withToken = _gateway.Request("Bearer " + Gateway.Token());
        _withKey = _gateway.Request("Bearer " + Gateway.ApiKey);
        var caller = (await _tokens.Resolve(_withToken)).Caller ?? throw new InvalidOperationException("The token was refused.");
        _ = (await _keys.Resolve(_withKey)).Caller ?? throw new InvalidOperationException("The key was refused.");

        _decider = _gateway.Services.GetRequiredService<LimitDecider>();
        _limits = _gateway.Services.GetRequiredService<CallerLimitsCache>().Of(caller, null).For(null, EndpointLimit.Default);
        await _decider.Decide(_limits, 1, 1);

        _cache = _gateway.Services.GetRequiredService<FragmentCache>();
        _fragment = new("bench:1", CacheScope.Public, caller, Hour, Hour, ["bench:1"], ServiceProblemJson.Default.ServiceProblem);
        await _cache.Get(_fragment, _ => new(UpstreamAnswer<ServiceProblem>.Ok(_document)), CancellationToken.None);
        _composition = _gateway.Services.GetRequiredService<CompositionServices>();
        _client = UpstreamsRegistration.Generated<CompositionWarmup.IWarmUp>(
            new UpstreamClient("json", _gateway.Services.GetRequiredService<UpstreamSender>())
        );
    }

    /// <summary>Stops the gateway.</summary>
    [GlobalCleanup]
    public async Task Stop() => await _gateway.DisposeAsync();

    /// <summary>Looks up a token that was verified before.</summary>
    [Benchmark]
    public bool Remembered_token()
    {
        var resolving = _tokens.Resolve(_withToken);
        return resolving.IsCompletedSuccessfully && resolving.Result.Caller is not null;
    }

    /// <summary>Looks up a key that was verified before.</summary>
    [Benchmark]
    public bool Api_key()
    {
        var resolving = _keys.Resolve(_withKey);
        return resolving.IsCompletedSuccessfully && resolving.Result.Caller is not null;
    }

    /// <summary>Decides on a lease, including an occasional renewal.</summary>
    [Benchmark]
    public bool Leased_decision() => _decider.TryDecide(_limits, 1, 1, out _);

    /// <summary>Reads a fresh fragment in this process.</summary>
    [Benchmark]
    public bool Fragment_hit() => _cache.TryGet(_fragment, out _);

    /// <summary>Measures a typed client's method whose call is not made because the value is cached.</summary>
    [Benchmark]
    public object Call_declared() => _client.Get("first");

    /// <summary>Measures the same method up to the message that is sent.</summary>
    [Benchmark]
    public object Call_declared_and_written() =>
        ((IDeclaredCall)_client.Get("first")).Request.Message(ServiceProblemJson.Default, onlyReads: false);

    /// <summary>Measures the message without a client.</summary>
    [Benchmark]
    public object Call_written_by_hand() =>
        new HttpRequestMessage(HttpMethod.Get, new Uri($"warm-up/{Uri.EscapeDataString(_document.Type!)}", UriKind.Relative));

    /// <summary>Measures composition without the calls: four parts whose services answer at once, and the answer written.</summary>
    [Benchmark]
    public async Task<int> Composer_of_four_synchronous_parts()
    {
        var context = new DefaultHttpContext { RequestServices = _gateway.Services };
        context.Features.Set(
            new BffRequest
            {
                HttpContext = context,
                RequestId = "bench",
                CorrelationId = "bench",
                StartTimestamp = _composition.Time.GetTimestamp(),
            }
        );
        using var composer = Composer.For(context, _composition);
        var first = composer.Required("first", Answer());
        composer.Optional("second", Answer());
        composer.Optional("third", Answer());
        composer.Optional("fourth", Answer());
        var composed = await composer.Compose(() => first.Value!, ServiceProblemJson.Default.ServiceProblem);
        await composed.ExecuteAsync(context);
        return context.Response.StatusCode;
    }

    private HandMadeCall<ServiceProblem> Answer() =>
        new(_ => new(UpstreamAnswer<ServiceProblem>.Ok(_document)), ServiceProblemJson.Default.ServiceProblem, _composition.Time);
}
