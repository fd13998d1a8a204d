using System.Buffers.Binary;
using System.Security.Cryptography;
using Bff.State;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace Bff.Caching;

/// <summary>
/// The fragments that the instances of a host share in Redis: one string with a lifetime for each
/// (<c>bff:cache:&lt;host&gt;:&lt;hash&gt;</c>), and one random version per invalidated tag (<c>bff:cache:tag:&lt;tag&gt;</c>). A value
/// contains the versions from before the upstream was asked and is valid only while they are unchanged. So an invalidation is one write per
/// tag, each key is used alone (in any slot of a cluster), and a late write has no effect.
/// </summary>
internal sealed class RedisFragments(RedisState redis, IHostEnvironment environment, TimeProvider time)
{
    private const int MaxBytes = 1 << 20;
    private const int MaxTags = 32;

    /// <summary>Maximum lifetime of a value, so that a tag's version outlives every older value.</summary>
    private static readonly TimeSpan MaxLife = TimeSpan.FromHours(24);
    private static readonly TimeSpan VersionLife = MaxLife + TimeSpan.FromHours(1);

    /// <summary>Reads a value. Never throws, and waits at most <c>State:Timeout</c>; not at all while the store is unavailable.</summary>
    public async ValueTask<SharedRead> Read(FragmentKey key, IReadOnlyList<string> tags, CancellationToken cancellation)
    {
        if (!redis.IsAvailable || tags.Count > MaxTags)
        {
            return default;
        }

        var name = key.SharedName(environment.ApplicationName);
        try
        {
            var (value, versions) = await redis.Run("PIPELINE", database => Ask(database, name, tags), cancellation);
            if (value is null || SharedFragmentFormat.Read(name, versions, value, out var since, out var validators) is not { } json)
            {
                return new(versions, null, TimeSpan.Zero);
            }

            var age = time.GetUtcNow() - since;
            // The clocks of the instances differ slightly.
            return new(versions, json, age > TimeSpan.Zero ? age : TimeSpan.Zero) { Validators = validators };
        }
        catch (Exception away) when (away is StoreException or RedisException)
        {
            return default;
        }
    }

    /// <summary>Stores a value, dated to before the upstream was asked. No request waits for this. Never throws.</summary>
    /// <param name="key">The fragment's key.</param>
    /// <param name="versions">The tags' versions that <see cref="Read"/> returned.</param>
    /// <param name="json">The value.</param>
    /// <param name="validators">The service's validators.</param>
    /// <param name="age">The current age of the value.</param>
    /// <param name="life">The total lifetime of the value.</param>
    public async Task Write(
        FragmentKey key,
        ulong[] versions,
        ReadOnlyMemory<byte> json,
        KeptValidators validators,
        TimeSpan age,
        TimeSpan life
    )
    {
        life = (life < MaxLife ? life : MaxLife) - age;
        if (!redis.IsAvailable || life < TimeSpan.FromMilliseconds(1))
        {
            return;
        }

        var name = key.SharedName(environment.ApplicationName);
        var value = SharedFragmentFormat.Write(name, versions, json.Span, validators, time.GetUtcNow() - age);
        if (value.Length > MaxBytes)
        {
            return;
        }

        try
        {
            await redis.Run("SET", database => database.StringSetAsync(name, value, life));
        }
        catch (Exception away) when (away is StoreException or RedisException)
        {
            // The next read asks the upstream again.
        }
    }

    /// <summary>Removes a value. No request waits for this. Never throws.</summary>
    public async Task Remove(FragmentKey key)
    {
        if (!redis.IsAvailable)
        {
            return;
        }

        try
        {
            await redis.Run("DEL", database => database.KeyDeleteAsync(key.SharedName(environment.ApplicationName)));
        }
        catch (Exception away) when (away is StoreException or RedisException)
        {
            // The value's lifetime will end it.
        }
    }

    /// <summary>Makes every value with one of the tags unusable, including one that an earlier read writes later.</summary>
    /// <param name="tags">The tags, such as <c>pricing:p-1</c>.</param>
    /// <param name="cancellation">Ends the wait. The invalidation may still happen.</param>
    /// <exception cref="StoreUnavailableException">The other instances could not be told.</exception>
    public async Task Invalidate(IReadOnlyCollection<string> tags, CancellationToken cancellation)
    {
        var version = RandomNumberGenerator.GetBytes(sizeof(ulong));
        version[0] |= 1; // Zero means no version.
        await redis.Write(
            "PIPELINE SET",
            database => Task.WhenAll(tags.Select(tag => database.StringSetAsync(TagName(tag), version, VersionLife))),
            cancellation
        );
    }

    private static async Task<(byte[]? Value, ulong[] Versions)> Ask(IDatabase database, string name, IReadOnlyList<string> tags)
    {
        // The value is read before the versions, so that a value invalidated in between is not taken for valid. All commands are sent
        // together.
        var value = database.StringGetRangeAsync(name, 0, MaxBytes);
        var versions = tags.Select(tag => database.StringGetAsync(TagName(tag))).ToArray();
        var bytes = await Task.WhenAll(versions);
        byte[]? found = null;
        try
        {
            found = await value;
        }
        catch (RedisServerException)
        {
            // The key is not a string. It counts as missing, and the next write replaces it.
        }

        return (found is { Length: > 0 and <= MaxBytes } ? found : null, [.. bytes.Select(Version)]);
    }

    private static ulong Version(RedisValue value) =>
        (byte[]?)value switch
        {
            null => 0,
            { Length: sizeof(ulong) } bytes => BinaryPrimitives.ReadUInt64BigEndian(bytes),
            // A version that another build wrote in another form is a version too.
            var other => BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(other)),
        };

    private static string TagName(string tag) => "bff:cache:tag:" + tag;
}

/// <summary>The result of a read in the shared store.</summary>
/// <param name="Versions">The tags' versions in order; null when the store did not respond, so that nothing may be written to it.</param>
/// <param name="Json">The value; null when there is no complete and valid one.</param>
/// <param name="Age">Time since the value was live.</param>
internal readonly record struct SharedRead(ulong[]? Versions, ReadOnlyMemory<byte>? Json, TimeSpan Age)
{
    /// <summary>The service's validators.</summary>
    public KeptValidators Validators { get; init; }
}
