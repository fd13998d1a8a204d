using System.Buffers.Binary;
using System.Security.Cryptography;
using Bff.State;
using Microsoft.Extensions.Hosting;
using StackExchange.Redis;

namespace Bff.Caching;

/// <summary>
/// What the instances of a host share of their fragments, in Redis: one string with a lifetime each
/// (<c>bff:cache:&lt;host&gt;:&lt;hash&gt;</c>), and one random version per invalidated tag (<c>bff:cache:tag:&lt;tag&gt;</c>). A value
/// carries the versions seen before the upstream was asked and is valid only while they are the same. So an invalidation is one write per
/// tag, each key is used alone (any slot of a cluster), and a write that comes late changes nothing.
/// </summary>
internal sealed class RedisFragments(RedisState redis, IHostEnvironment environment, TimeProvider time)
{
    private const int MaxBytes = 1 << 20;
    private const int MaxTags = 32;

    /// <summary>No value lives longer, so that a tag's version outlives every value that predates it.</summary>
    private static readonly TimeSpan MaxLife = TimeSpan.FromHours(24);
    private static readonly TimeSpan VersionLife = MaxLife + TimeSpan.FromHours(1);

    /// <summary>Never throws and never waits longer than <c>State:Timeout</c>; while the store is known to be away, not at all.</summary>
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
            // The instances' clocks differ a little.
            return new(versions, json, age > TimeSpan.Zero ? age : TimeSpan.Zero) { Validators = validators };
        }
        catch (Exception away) when (away is StoreException or RedisException)
        {
            return default;
        }
    }

    /// <summary>Stores it, counted as read before the upstream was asked; no request waits for this. Never throws.</summary>
    /// <param name="key">Whose value it is.</param>
    /// <param name="versions">The tags' versions that <see cref="Read"/> saw.</param>
    /// <param name="json">The value.</param>
    /// <param name="validators">The service's.</param>
    /// <param name="age">How old it is already.</param>
    /// <param name="life">How long it is kept in all.</param>
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

    /// <summary>Drops it; no request waits for this. Never throws.</summary>
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
            // Its lifetime ends it.
        }
    }

    /// <summary>Makes every value with one of the tags unusable, also one that is written later by a read that began before.</summary>
    /// <param name="tags">Such as <c>pricing:p-1</c>.</param>
    /// <param name="cancellation">Ends the waiting; the invalidation may still happen.</param>
    /// <exception cref="StoreUnavailableException">The other instances could not be told.</exception>
    public async Task Invalidate(IReadOnlyCollection<string> tags, CancellationToken cancellation)
    {
        var version = RandomNumberGenerator.GetBytes(sizeof(ulong));
        version[0] |= 1; // Zero stands for none.
        await redis.Run(
            "PIPELINE SET",
            database => Task.WhenAll(tags.Select(tag => database.StringSetAsync(TagName(tag), version, VersionLife))),
            cancellation
        );
    }

    private static async Task<(byte[]? Value, ulong[] Versions)> Ask(IDatabase database, string name, IReadOnlyList<string> tags)
    {
        // The value is read before the versions: one that is invalidated in between is not taken for valid. All travel together.
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
            // Not a string: as good as nothing, and the next write replaces it.
        }

        return (found is { Length: > 0 and <= MaxBytes } ? found : null, [.. bytes.Select(Version)]);
    }

    private static ulong Version(RedisValue value) =>
        (byte[]?)value switch
        {
            null => 0,
            { Length: sizeof(ulong) } bytes => BinaryPrimitives.ReadUInt64BigEndian(bytes),
            // A version that another instance wrote is a version too.
            var other => BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(other)),
        };

    private static string TagName(string tag) => "bff:cache:tag:" + tag;
}

/// <summary>What the shared store knows.</summary>
/// <param name="Versions">Of the tags, in their order; null when the store did not answer, so nothing may be written to it.</param>
/// <param name="Json">The value; null when there is none that is whole and valid.</param>
/// <param name="Age">Since it was live.</param>
internal readonly record struct SharedRead(ulong[]? Versions, ReadOnlyMemory<byte>? Json, TimeSpan Age)
{
    /// <summary>The service's.</summary>
    public KeptValidators Validators { get; init; }
}
