using Bff.State;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bff.Shared.Tests.State;

/// <summary>The services of the state stage without a host around them; no connection string means the embedded engine.</summary>
internal static class StateEngines
{
    /// <summary>Connected: a first connection on a busy machine may take longer than an operation is allowed to.</summary>
    public static async Task<ServiceProvider> Ready(
        string? connectionString,
        TimeProvider? time = null,
        string timeout = Generous.StateTimeout
    ) => await Ready(Provider(connectionString, time, timeout));

    /// <summary>The same of a provider that is there already.</summary>
    public static async Task<ServiceProvider> Ready(ServiceProvider provider)
    {
        var redis = provider.GetRequiredService<RedisState>();
        redis.Start();
        await RedisStateTests.Until(() => Task.FromResult(!redis.IsConfigured || redis.IsAvailable));
        return provider;
    }

    /// <summary>Connects, and waits until what has been subscribed to before is heard.</summary>
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
