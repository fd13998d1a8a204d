using System.Text.Json;
using System.Text.Json.Serialization;
using Bff.State;
using Bff.Upstreams;
using Microsoft.Extensions.Hosting;

namespace Bff.Caching;

/// <summary>
/// 1. drops what this process holds; 2. renews the tags' versions in Redis; 3. tells every instance, this one included, because a read that began
/// between 1 and 2 may have taken the old value out of Redis. After a lost connection, when messages may have been missed, all of this process's fragments go.
/// </summary>
internal sealed class FragmentInvalidator(RedisState redis, FragmentMemory memory, TagGenerations generations, ReadGenerations reads, ISharedFragments? shared)
    : IFragmentInvalidator, IHostedService, IDisposable
{
    private const string Channel = "bff:cache:invalidate";
    private IDisposable? _subscription;

    public async Task Invalidate(IReadOnlyCollection<string> tags, CancellationToken cancellation)
    {
        if (tags.Count == 0)
        {
            return;
        }

        Drop(tags);
        if (shared is not null)
        {
            await shared.Invalidate(tags, cancellation);
            Drop(tags);
        }

        await redis.Publish(Channel, JsonSerializer.Serialize([.. tags], CachingJson.Default.StringArray), cancellation);
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _subscription = redis.Subscribe(Channel, OnMessage);
        redis.Reconnected += OnReconnected;
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask; // Requests are still being served.

    public void Dispose()
    {
        redis.Reconnected -= OnReconnected;
        _subscription?.Dispose();
    }

    private void OnMessage(string message)
    {
        try
        {
            Drop(JsonSerializer.Deserialize(message, CachingJson.Default.StringArray) ?? []);
        }
        catch (JsonException)
        {
            DropAll(); // Something is invalid, and nobody knows what.
        }
    }

    private void OnReconnected(object? sender, EventArgs e) => DropAll();

    private void Drop(IEnumerable<string> tags)
    {
        reads.Invalidated(); // First: a fragment that is read from here on must not be given what a call from before brings.
        generations.Invalidate(tags);
    }

    private void DropAll()
    {
        reads.Invalidated();
        generations.InvalidateAll();
        memory.Clear();
    }
}

[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(InvalidateFragments.Request))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
internal sealed partial class CachingJson : JsonSerializerContext;
