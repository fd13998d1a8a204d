using Bff.State;
using Bff.Upstreams;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Bff.Caching;

/// <summary>Registers caching.</summary>
internal static class CachingRegistration
{
    private const long MemoryBytes = 64 << 20;

    /// <summary>Adds the cache of fragments: in process, then in Redis.</summary>
    public static WebApplicationBuilder AddCaching(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSingleton<TagGenerations>();
        services.TryAddSingleton<ReadGenerations>();
        services.AddSingleton(new FragmentMemory(MemoryBytes));
        services.AddSingleton<CacheMetrics>();
        services.AddSingleton<RedisFragments>();
        services.AddSingleton(provider => new FragmentCache(
            provider.GetRequiredService<FragmentMemory>(),
            provider.GetRequiredService<TagGenerations>(),
            provider.GetRequiredService<ReadGenerations>(),
            Shared(provider),
            provider.GetRequiredService<CacheMetrics>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<FragmentCache>>()
        ));
        services.AddSingleton(provider => new FragmentInvalidator(
            provider.GetRequiredService<Announcements>(),
            provider.GetRequiredService<FragmentMemory>(),
            provider.GetRequiredService<TagGenerations>(),
            provider.GetRequiredService<ReadGenerations>(),
            Shared(provider),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<FragmentInvalidator>>()
        ));
        services.AddSingleton<IFragmentInvalidator>(provider => provider.GetRequiredService<FragmentInvalidator>());
        services.AddHostedService(provider => provider.GetRequiredService<FragmentInvalidator>());
        return builder;
    }

    private static RedisFragments? Shared(IServiceProvider provider) =>
        provider.GetRequiredService<RedisState>().IsConfigured ? provider.GetRequiredService<RedisFragments>() : null;
}
