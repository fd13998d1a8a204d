using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Bff.State;

/// <content>Publish and subscribe across lost connections; without Redis, within the process.</content>
public sealed partial class RedisState
{
    private readonly Lock _subscribing = new();
    private ImmutableDictionary<string, ImmutableArray<Action<string>>> _handlers = ImmutableDictionary<
        string,
        ImmutableArray<Action<string>>
    >.Empty;

    /// <summary>
    /// Calls the handler with every message of the channel (<c>bff:...</c>), on a background thread and in no guaranteed order. The
    /// subscription survives reconnections. Messages may be missed while disconnected, and after this call until <see cref="Reconnected"/>
    /// is raised.
    /// </summary>
    /// <returns>A subscription; dispose it to stop.</returns>
    public IDisposable Subscribe(string channel, Action<string> handler)
    {
        lock (_subscribing)
        {
            var isFirst = !_handlers.TryGetValue(channel, out var others);
            _handlers = _handlers.SetItem(channel, isFirst ? [handler] : others.Add(handler));
            if (isFirst && _connection is not null)
            {
                _ = SubscribeLater(channel);
            }
        }

        return new Subscription(() =>
        {
            lock (_subscribing)
            {
                if (_handlers.TryGetValue(channel, out var handlers))
                {
                    _handlers = _handlers.SetItem(channel, handlers.Remove(handler)); // Channels are few; the server keeps them.
                }
            }
        });
    }

    /// <summary>Sends a message to every subscriber of the channel on every instance.</summary>
    /// <exception cref="StoreUnavailableException">Redis is unavailable.</exception>
    public async Task Publish(string channel, string message, CancellationToken cancellation = default)
    {
        if (!IsConfigured)
        {
            Dispatch(channel, message);
            return;
        }

        await Run("PUBLISH", database => database.PublishAsync(RedisChannel.Literal(channel), message), cancellation);
    }

    private async Task SubscribeLater(string channel)
    {
        try
        {
            if (_connection is { } connection)
            {
                await SubscribeOne(connection, channel);
                OnRestored();
            }
        }
        catch (Exception failure) when (failure is RedisException or TimeoutException or ObjectDisposedException)
        {
            _replace = true;
            Wake();
        }
    }

    /// <summary>Makes the connection the current one. New subscriptions use it, and existing ones move to it.</summary>
    private async Task Use(RedisConnection connection)
    {
        ImmutableDictionary<string, ImmutableArray<Action<string>>> handlers;
        RedisConnection? old;
        lock (_subscribing)
        {
            handlers = _handlers;
            old = _connection;
            _connection = connection;
        }

        if (old is not null)
        {
            _ = Retire(old);
        }

        await Task.WhenAll(handlers.Keys.Select(channel => SubscribeOne(connection, channel)));
    }

    private Task SubscribeOne(RedisConnection connection, string channel) =>
        connection.Subscribe(
            channel,
            message =>
            {
                if (connection == _connection) // A retired connection would deliver every message a second time.
                {
                    Dispatch(channel, message);
                }
            },
            ConnectTimeout
        );

    private void Dispatch(string channel, string message)
    {
        if (!_handlers.TryGetValue(channel, out var handlers))
        {
            return;
        }

        foreach (var handler in handlers)
        {
            try
            {
                handler(message);
            }
#pragma warning disable CA1031 // A handler that throws must not keep the others from being called.
            catch (Exception failure)
#pragma warning restore CA1031
            {
                LogListenerFailed(_logger, failure);
            }
        }
    }

    private sealed class Subscription(Action end) : IDisposable
    {
        public void Dispose() => end();
    }
}
