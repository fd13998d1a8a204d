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

/// <summary>The cache of one host instance.</summary>
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
                // Commands and subscriptions connect separately, and each connection drops the memory. No signal says that the last one is
                // connected.
                var before = Volatile.Read(ref connected);
                for (var i = 0; i < 10; i++)
                {
                    await Task.Delay(10); // Spreads the checks over time, because a stalled machine must not pass for a settled connection.
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

    /// <summary>Waits until the value that the host writes after the answer is in Redis.</summary>
    public Task Settled<T>(FragmentRequest<T> request)
    {
        Assert.True(FragmentKey.TryMake(request, out var key));
        return RedisStateTests.Until(async () => (await Shared.Read(key, request.Tags, default)).Json is not null);
    }

    /// <summary>
    /// Reads a fragment for the first time, so that it is stored in every place where this engine keeps it. Repeats the read where needed,
    /// because a connection that is still settling may drop the memory once more. Counts as one upstream call.
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

/// <summary>A cached value with the identity of its owner.</summary>
internal sealed record Item(string Text, string Owner = "");

[JsonSerializable(typeof(Item))]
internal sealed partial class ItemJson : JsonSerializerContext;

/// <summary>A fake upstream that counts its calls, waits for the test and returns the answer that the test sets.</summary>
internal sealed class Upstream
{
    private int _calls;

    public int Calls
    {
        get => Volatile.Read(ref _calls);
        set => Volatile.Write(ref _calls, value);
    }

    public UpstreamAnswer<Item> Answer { get; set; } = UpstreamAnswer<Item>.Ok(new("first"));

    /// <summary>Holds answers back until the test completes it. Null answers at once.</summary>
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

    /// <summary>Creates a request that no other test shares: fresh for 5 s, stale for 60 s, with one tag.</summary>
    public static FragmentRequest<Item> Unique(CacheScope scope = CacheScope.Public, Caller? caller = null)
    {
        var name = "item:" + Guid.NewGuid().ToString("N");
        return new(name, scope, caller ?? Ann, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(60), [name], ItemJson.Default.Item);
    }
}

/// <summary>One Redis server per test class, started by the first test that needs it.</summary>
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
