using System.Text.Json.Serialization;
using Bff.Caching;
using Bff.Requests;
using Bff.Shared.Tests.State;
using Bff.State;
using Bff.TestKit;
using Bff.Upstreams;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Caching;

/// <summary>One instance of a host, as far as its cache is concerned.</summary>
internal sealed class CacheInstance : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private CacheInstance(ServiceProvider services) => _services = services;

    public FragmentCache Cache => _services.GetRequiredService<FragmentCache>();

    public IFragmentInvalidator Invalidator => _services.GetRequiredService<IFragmentInvalidator>();

    public RedisFragments Shared => _services.GetRequiredService<RedisFragments>();

    public RedisState Redis => _services.GetRequiredService<RedisState>();

    public IServiceProvider Services => _services;

    public static async Task<CacheInstance> Start(string? redis, TimeProvider time, string timeout = Generous.StateTimeout)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.Logging.Watch();
        RedisServer.Configure(builder.Configuration, redis);
        builder.Configuration["State:Timeout"] = timeout;
        builder.Services.AddSingleton(time);
        builder.AddState().AddCaching();
        var services = builder.Services.BuildServiceProvider();
        var instance = new CacheInstance(services);
        if (redis is not null)
        {
            var connected = 0;
            instance.Redis.Reconnected += (_, _) => Interlocked.Increment(ref connected);
            await services.GetRequiredService<FragmentInvalidator>().StartAsync(default);
            instance.Redis.Start();
            await RedisStateTests.Until(async () =>
            {
                // Commands and subscriptions connect apart, and each time the memory is dropped: that the last one was the last has no
                // signal.
                var before = Volatile.Read(ref connected);
                for (var i = 0; i < 10; i++)
                {
                    await Task.Delay(10); // Not all at once: a machine that stands still is no quiet one.
                }

                return before > 0 && before == Volatile.Read(ref connected);
            });
        }
        else
        {
            await services.GetRequiredService<FragmentInvalidator>().StartAsync(default);
        }

        return instance;
    }

    /// <summary>What is written to Redis behind the answer has arrived there.</summary>
    public Task Settled<T>(FragmentRequest<T> request)
    {
        Assert.True(FragmentKey.TryMake(request, out var key));
        return RedisStateTests.Until(async () => (await Shared.Read(key, request.Tags, default)).Json is not null);
    }

    /// <summary>
    /// Reads it for the first time; afterwards it is in every place where this engine keeps it. Repeated where needed, because a connection
    /// that is still settling may drop the memory once more; counted as one call.
    /// </summary>
    public async Task<Fragment<Item>> Prime(FragmentRequest<Item> request, Upstream upstream)
    {
        Assert.True(FragmentKey.TryMake(request, out var key));
        Fragment<Item> live = default;
        await RedisStateTests.Until(async () =>
        {
            var read = await Cache.Get(request, upstream.Fetch, default);
            live = read.Source == FragmentSource.Live ? read : live;
            return !Redis.IsConfigured || (await Shared.Read(key, request.Tags, default)).Json is not null;
        });
        upstream.Calls = 1;
        return live;
    }

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}

/// <summary>A fragment and whose it is.</summary>
internal sealed record Item(string Text, string Owner = "");

[JsonSerializable(typeof(Item))]
internal sealed partial class ItemJson : JsonSerializerContext;

/// <summary>The upstream: counts, waits for the test, answers what the test says.</summary>
internal sealed class Upstream
{
    private int _calls;

    public int Calls
    {
        get => Volatile.Read(ref _calls);
        set => Volatile.Write(ref _calls, value);
    }

    public UpstreamAnswer<Item> Answer { get; set; } = UpstreamAnswer<Item>.Ok(new("first"));

    /// <summary>Held back until the test completes it; null: answers at once.</summary>
    public TaskCompletionSource? Gate { get; set; }

    /// <summary>Completes when a call has arrived.</summary>
    public TaskCompletionSource Asked { get; set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public CancellationToken LastToken { get; private set; }

    public async ValueTask<UpstreamAnswer<Item>> Fetch(CancellationToken cancellation)
    {
        Interlocked.Increment(ref _calls);
        LastToken = cancellation;
        var (answer, gate) = (Answer, Gate);
        Asked.TrySetResult();
        if (gate is not null)
        {
            await gate.Task.WaitAsync(cancellation);
        }

        return answer;
    }
}

internal static class Fragments
{
    public static readonly Caller Ann = new()
    {
        Subject = "ann",
        Tenant = "acme",
        Kind = CallerKind.Token,
    };

    /// <summary>A request that no other test shares: 5 s fresh, 60 s stale, one tag.</summary>
    public static FragmentRequest<Item> Unique(CacheScope scope = CacheScope.Public, Caller? caller = null)
    {
        var name = "item:" + Guid.NewGuid().ToString("N");
        return new(name, scope, caller ?? Ann, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(60), [name], ItemJson.Default.Item);
    }
}

/// <summary>One server for the class that shares it, started with the first test that needs it.</summary>
public sealed class SharedRedis : IDisposable
{
    private readonly Lazy<RedisServer> _server = new(() => RedisServer.Run());

    public string? AddressFor(string engine) => engine == "redis" ? _server.Value.ConnectionString : null;

    public RedisServer Server => _server.Value;

    public void Dispose()
    {
        if (_server.IsValueCreated)
        {
            _server.Value.Dispose();
        }
    }
}
