using Bff.State;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bff.Shared.Tests.State;

/// <summary>Creates the services of the state stage without a host. Without a connection string, it uses the embedded engine.</summary>
internal static class StateEngines
{
    /// <summary>
    /// Creates the services and waits until Redis is connected. On a busy machine, the first connection may take longer than the timeout of
    /// an operation.
    /// </summary>
    public static async Task<ServiceProvider> Ready(
        string? connectionString,
        TimeProvider? time = null,
        string timeout = Generous.StateTimeout
    ) => await Ready(Provider(connectionString, time, timeout));

    /// <summary>Waits until the Redis connection of an existing provider is available.</summary>
    public static async Task<ServiceProvider> Ready(ServiceProvider provider)
    {
        var redis = provider.GetRequiredService<RedisState>();
        redis.Start();
        await RedisStateTests.Until(() => Task.FromResult(!redis.IsConfigured || redis.IsAvailable));
        return provider;
    }

    /// <summary>Connects and waits until existing subscriptions receive messages.</summary>
    public static async Task Connect(IServiceProvider provider)
    {
        var redis = provider.GetRequiredService<RedisState>();
        var isHeard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        redis.Reconnected += (_, _) => isHeard.TrySetResult();
        redis.Start();
        if (redis.IsConfigured)
        {
            await isHeard.Task.WaitAsync(TimeSpan.FromSeconds(30));
        }
    }

    public static ServiceProvider Provider(
        string? connectionString,
        TimeProvider? time = null,
        string timeout = Generous.StateTimeout,
        LogRecorder? log = null,
        Action<WebApplicationBuilder>? more = null
    )
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        if (log is null)
        {
            builder.Logging.Watch();
        }
        else
        {
            builder.Logging.ClearProviders().AddProvider(log);
        }

        RedisServer.Configure(builder.Configuration, connectionString);
        builder.Configuration["State:Timeout"] = timeout;
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.AddState();
        more?.Invoke(builder);
        return builder.Services.BuildServiceProvider();
    }
}
