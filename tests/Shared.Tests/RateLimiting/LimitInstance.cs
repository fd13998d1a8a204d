using Bff.Audit;
using Bff.Configuration;
using Bff.RateLimiting;
using Bff.Requests;
using Bff.Shared.Tests.State;
using Bff.State;
using Bff.Tenancy;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.RateLimiting;

/// <summary>The limiter of one host instance without requests, on a shared Redis or on the embedded engine.</summary>
internal sealed class LimitInstance : IAsyncDisposable
{
    private readonly WebApplication _app;

    private LimitInstance(WebApplication app)
    {
        _app = app;
        Decider = app.Services.GetRequiredService<LimitDecider>();
        Redis = app.Services.GetRequiredService<RedisState>();
    }

    public LimitDecider Decider { get; }

    public RedisState Redis { get; }

    public ILimitStore Store => _app.Services.GetRequiredService<ILimitStore>();

    public static Task<LimitInstance> Start(string? redis, LimitMode mode, params (string Key, string Value)[] settings) =>
        Start(redis, mode, TimeProvider.System, settings);

    /// <param name="redis">Connection string, or null for the embedded engine.</param>
    /// <param name="mode">Mode of the limits.</param>
    /// <param name="time">Clock of the leases. Redis uses its own clock.</param>
    /// <param name="settings">Settings in addition to those of every instance.</param>
    public static async Task<LimitInstance> Start(
        string? redis,
        LimitMode mode,
        TimeProvider time,
        params (string Key, string Value)[] settings
    )
    {
        var builder = WebApplication.CreateSlimBuilder(
            new WebApplicationOptions { EnvironmentName = "Development", ApplicationName = "Limited" }
        );
        builder.Logging.Watch();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(
            new Dictionary<string, string?>
            {
                ["ConnectionStrings:redis"] = redis,
                ["State:Timeout"] = Generous.StateTimeout, // The tests measure the limiter, so a slow machine must not cause timeouts.
                ["Limits:Mode"] = mode.ToString(),
            }
        );
        builder.Configuration.AddInMemoryCollection(settings.ToDictionary(s => s.Key, s => (string?)s.Value));
        builder.Services.AddSingleton(time);
        builder.AddReloading().AddState().AddAudit().AddRateLimiting();
        var app = builder.Build();
        await app.StartAsync();
        var instance = new LimitInstance(app);
        await RedisStateTests.Until(() => Task.FromResult(redis is null || instance.Redis.IsAvailable));
        return instance;
    }

    public LimitSet Set(string subject = "alice", string? tenant = null) =>
        _app
            .Services.GetRequiredService<CallerLimitsCache>()
            .Of(
                new Caller
                {
                    Subject = subject,
                    Kind = CallerKind.Token,
                    Tenant = tenant,
                },
                _app.Services.GetRequiredService<Reloadable<LimitSettings>>().Current.Tenants.GetValueOrDefault(tenant ?? "")
            )
            .For(null, EndpointLimit.Default);

    public async Task<Decision> Decide(LimitSet set) =>
        Decider.TryDecide(set, 1, 1, out var decision) ? decision : await Decider.Decide(set, 1, 1);

    /// <summary>Ends as a killed process would, without returning leases.</summary>
    public void Die() => Redis.Dispose();

    /// <summary>Stops gracefully.</summary>
    public Task Stop() => _app.StopAsync();

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
