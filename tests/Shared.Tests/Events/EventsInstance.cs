using System.Text;
using Bff.Caching;
using Bff.Events;
using Bff.Requests;
using Bff.Shared.Tests.State;
using Bff.State;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Events;

/// <summary>The events of one host instance.</summary>
internal sealed class EventsInstance : IAsyncDisposable
{
    private readonly ServiceProvider _services;

    private EventsInstance(ServiceProvider services) => _services = services;

    public IEventLog Log => _services.GetRequiredService<IEventLog>();

    public IEventQueue Queue => _services.GetRequiredService<IEventQueue>();

    public UserEvents Users => _services.GetRequiredService<UserEvents>();

    public RedisState Redis => _services.GetRequiredService<RedisState>();

    public static async Task<EventsInstance> Start(string? redis, TimeProvider? time = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.Logging.Watch();
        RedisServer.Configure(builder.Configuration, redis);
        builder.Configuration["State:Timeout"] = Generous.StateTimeout;
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.AddState().AddCaching().AddEvents();
        var instance = new EventsInstance(builder.Services.BuildServiceProvider());
        instance.Redis.Start();
        await RedisStateTests.Until(() => Task.FromResult(!instance.Redis.IsConfigured || instance.Redis.IsAvailable));
        return instance;
    }

    public Task Publish(params NewEvent[] events) => Log.Append(events, default);

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}

internal static class Sample
{
    private static int _number;

    public static string Unique(string of) => $"{of}-{Guid.NewGuid():N}";

    public static Caller Caller(string user, string? tenant = null) =>
        new()
        {
            Subject = user,
            Tenant = tenant,
            Kind = CallerKind.Session,
        };

    public static NewEvent Event(
        string? user = null,
        string? tenant = null,
        string type = "order.shipped",
        string? id = null,
        string data = "{}"
    ) =>
        new(
            new EventHead
            {
                Source = "/tests",
                SourceId = id ?? $"{Guid.NewGuid():N}",
                Type = type,
                Subject = $"o-{Interlocked.Increment(ref _number)}",
                User = user,
                Tenant = tenant,
            },
            Encoding.UTF8.GetBytes(data)
        );
}

/// <summary>Reads an event stream one item at a time.</summary>
internal sealed class Follower(UserEvents events, Caller caller, Bff.Events.EventId? after = null) : IAsyncDisposable
{
    private readonly CancellationTokenSource _ends = new();
    private IAsyncEnumerator<UserEvent>? _items;

    public async Task<UserEvent> Next()
    {
        _items ??= events.Follow(caller, after, TimeSpan.FromMinutes(10), _ends.Token).GetAsyncEnumerator(default);
        Assert.True(await _items.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30)));
        return _items.Current;
    }

    public async Task<Follower> Opened()
    {
        Assert.Equal(UserEventKind.Opened, (await Next()).Kind);
        return this;
    }

    public async ValueTask DisposeAsync()
    {
        await _ends.CancelAsync();
        if (_items is not null)
        {
            try
            {
                await _items.DisposeAsync();
            }
            catch (NotSupportedException)
            {
                // A failed test has left a read running.
            }
        }

        _ends.Dispose();
    }
}
