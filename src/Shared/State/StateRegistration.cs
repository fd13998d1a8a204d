using System.Diagnostics.CodeAnalysis;
using Bff.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Bff.State;

/// <summary>Registers the services of the state stage.</summary>
public static class StateRegistration
{
    /// <summary>Adds the Redis connection, announcements and the key ring.</summary>
    internal static WebApplicationBuilder AddState(this WebApplicationBuilder builder)
    {
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSettings<StateOptions>().AddReads<StateOptions>(reloads: false, "ConnectionStrings");
        builder.Services.AddSingleton<IValidateOptions<StateOptions>, StateOptionsValidator>();
        builder.Services.AddSingleton<RedisState>();
        builder.Services.AddHostedService<RedisStart>();
        builder.Services.AddSingleton<Announcements>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<Announcements>());
        builder.Services.AddStore<IKeyRing, RedisKeyRing, EmbeddedKeyRing>(builder.Configuration);
        return builder;
    }

    /// <summary>Registers a store as a singleton: in Redis when <c>ConnectionStrings:redis</c> is set, otherwise in process.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="configuration">The host's configuration; read when the store is first needed.</param>
    public static IServiceCollection AddStore<
        TStore,
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TRedis,
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TEmbedded
    >(this IServiceCollection services, IConfiguration configuration)
        where TStore : class
        where TRedis : class, TStore
        where TEmbedded : class, TStore =>
        services.AddSingleton<TStore>(provider =>
            RedisAddress.Of(configuration) is null
                ? ActivatorUtilities.CreateInstance<TEmbedded>(provider)
                : ActivatorUtilities.CreateInstance<TRedis>(provider)
        );

    /// <summary>Starts to connect while the host starts, without delaying it.</summary>
    private sealed class RedisStart(RedisState redis) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            redis.Start();
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask; // Other services still release their locks.
    }
}
