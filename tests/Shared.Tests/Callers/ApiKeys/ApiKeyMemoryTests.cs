using System.Runtime.CompilerServices;
using Bff.Callers;
using Bff.Callers.ApiKeys;
using Bff.Configuration;
using Bff.Requests;
using Bff.State;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Callers.ApiKeys;

public sealed class ApiKeyMemoryTests
{
    private static readonly CallerResult Invalid = CallerResult.Refused(ProblemCodes.InvalidApiKey);

    [Fact]
    public void The_cache_is_bounded_and_keeps_keys_in_use()
    {
        var memory = new ApiKeyMemory(maxEntries: 100);
        var favourite = ApiKeyFormat.New(isTest: false);
        memory.Set(Remembered(favourite));
        for (var i = 0; i < 1000; i++)
        {
            memory.Set(Remembered(ApiKeyFormat.New(isTest: false)));
            Assert.NotNull(memory.Find(favourite));
        }

        Assert.InRange(memory.Count, 1, 104);
    }

    [Fact]
    public void A_key_that_differs_in_one_character_is_not_found()
    {
        var memory = new ApiKeyMemory(maxEntries: 100);
        var key = ApiKeyFormat.New(isTest: false);
        memory.Set(Remembered(key));
        for (var i = 0; i < key.Length; i++)
        {
            var other = key.ToCharArray();
            other[i] = other[i] == 'x' ? 'y' : 'x';
            Assert.Null(memory.Find(other));
        }

        Assert.Null(memory.Find(key.AsSpan(0, key.Length - 1)));
        Assert.Null(memory.Find(""));
    }

    [Fact]
    public void A_dropped_key_is_removed_from_both_generations_and_its_replacement_stays()
    {
        var memory = new ApiKeyMemory(maxEntries: 8);
        var (old, young) = (Remembered(ApiKeyFormat.New(isTest: false)), Remembered(ApiKeyFormat.New(isTest: false)));
        memory.Set(old);
        for (var i = 0; i < 4; i++)
        {
            memory.Set(Remembered(ApiKeyFormat.New(isTest: false)));
        }

        memory.Set(young);
        memory.Drop(old);
        memory.Drop(young);
        Assert.Null(memory.Find(old.Key));
        Assert.Null(memory.Find(young.Key));

        var successor = Remembered(young.Key);
        memory.Set(successor);
        memory.Drop(young);
        Assert.Same(successor, memory.Find(young.Key));
    }

    [Fact]
    public void Keys_are_compared_in_constant_time()
    {
        // The framework's comparison never returns early. Without measuring time, the test can only check that this comparison is used.
        Assert.True(ApiKeyMemory.IsSame("pk_live_a", "pk_live_a"));
        Assert.False(ApiKeyMemory.IsSame("pk_live_a", "pk_live_b"));
        Assert.False(ApiKeyMemory.IsSame("pk_live_a", "pk_live_aa"));
    }

    [Fact]
    public async Task A_cached_key_is_verified_without_allocation()
    {
        var key = ApiKeyFormat.New(isTest: false);
        await using var services = Services(new() { ["ApiKeys:Bootstrap:acme"] = key });
        var verifier = services.GetRequiredService<ApiKeyVerifier>();
        Assert.Equal("acme", (await verifier.Verify(key, default)).Caller!.Tenant);
        for (var i = 0; i < 100; i++)
        {
            Assert.True(Verify(verifier, key));
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            Verify(verifier, key);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public async Task Unknown_keys_are_cached_within_a_bound()
    {
        await using var services = Services([]);
        var verifier = services.GetRequiredService<ApiKeyVerifier>();
        for (var i = 0; i < 25_000; i++)
        {
            Assert.Null((await verifier.Verify(ApiKeyFormat.New(isTest: false), default)).Caller);
        }

        Assert.InRange(verifier.Held.Unknown, 1, 20_010);
        Assert.Equal(0, verifier.Held.Known);
    }

    [Fact]
    public async Task A_new_key_is_valid_at_once_after_it_was_unknown_and_a_changed_key_is_read_again()
    {
        await using var services = Services([]);
        var (verifier, registry, store) = (
            services.GetRequiredService<ApiKeyVerifier>(),
            services.GetRequiredService<ApiKeyRegistry>(),
            services.GetRequiredService<IApiKeyStore>()
        );
        var made = (await registry.Create("acme", "n", ["orders.read"], isTest: false, null, default))!;
        await store.Remove(made.Record, default);
        Assert.Null((await verifier.Verify(made.Key, default)).Caller);
        await store.Add(made.Record, default);
        Assert.True((await verifier.Verify(made.Key, default)).Caller!.HasScope("orders.read"));
        await store.Replace(made.Record with { ExpiresAt = DateTimeOffset.UtcNow.AddSeconds(-1) }, default);
        Assert.Null((await verifier.Verify(made.Key, default)).Caller);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool Verify(ApiKeyVerifier verifier, string key)
    {
        var verifying = verifier.Verify(key, default);
        return verifying.IsCompletedSuccessfully && verifying.Result.Caller is not null;
    }

    private static RememberedKey Remembered(string key) => new(key, null, Invalid, 0, 0);

    private static ServiceProvider Services(Dictionary<string, string?> settings)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.Logging.Watch();
        foreach (var (key, value) in settings)
        {
            builder.Configuration[key] = value;
        }

        builder.AddReloading().AddState();
        builder.AddApiKeys("orders.read");
        return builder.Services.BuildServiceProvider();
    }
}
