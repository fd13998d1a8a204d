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

/// <summary>One instance of a host, without the requests: its limiter over a Redis that it shares with others, or embedded.</summary>
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

    /// <param name="redis">Null: embedded.</param>
    /// <param name="mode">Of its limits.</param>
    /// <param name="time">How long its leases last; Redis keeps its own.</param>
    /// <param name="settings">Beside those that every instance has.</param>
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
                ["State:Timeout"] = Generous.StateTimeout, // What is limited here is the limiter, not the machine that runs the tests.
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

    /// <summary>Ends as a killed process would: nothing is given back.</summary>
    public void Die() => Redis.Dispose();

    /// <summary>Ends as it should.</summary>
    public Task Stop() => _app.StopAsync();

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
