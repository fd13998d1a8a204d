using Bff.State;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.State;

/// <summary>The services of the state stage without a host around them; no connection string means the embedded engine.</summary>
internal static class StateEngines
{
    /// <summary>Connected: a first connection on a busy machine may take longer than an operation is allowed to.</summary>
    public static async Task<ServiceProvider> Ready(string? connectionString, TimeProvider? time = null, string timeout = Generous.StateTimeout)
    {
        var provider = Provider(connectionString, time, timeout);
        var redis = provider.GetRequiredService<RedisState>();
        redis.Start();
        await RedisStateTests.Until(() => Task.FromResult(!redis.IsConfigured || redis.IsAvailable));
        return provider;
    }

    public static ServiceProvider Provider(string? connectionString, TimeProvider? time = null, string timeout = Generous.StateTimeout)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.Logging.Watch();
        builder.Configuration["ConnectionStrings:redis"] = connectionString;
        builder.Configuration["State:Timeout"] = timeout;
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.AddState();
        return builder.Services.BuildServiceProvider();
    }
}
