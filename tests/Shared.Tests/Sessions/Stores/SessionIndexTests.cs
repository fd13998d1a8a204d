using Bff.Configuration;
using Bff.Sessions;
using Bff.Shared.Tests.State;
using Bff.State;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Sessions.Stores;

/// <summary>Tests that sessions stay in their indexes, because a sign-out of all of a user's sessions finds them there.</summary>
[Trait("Suite", "Store")]
public sealed class SessionIndexTests : IAsyncLifetime
{
    private const string User = "u-1";
    private readonly ManualTimeProvider _clock = new(DateTimeOffset.UtcNow);
    private RedisServer? _redis;
    private ServiceProvider? _services;

    private SessionVault Vault => _services!.GetRequiredService<SessionVault>();

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task A_session_whose_indexes_were_lost_is_indexed_again_when_it_is_used_a_minute_later(bool onRedis)
    {
        await Start(onRedis);
        var key = await SignIn(TimeSpan.FromHours(8));
        // The indexes are in other slots than the session, so they can be lost alone.
        _redis?.Command("DEL", "bff:sessions:" + SessionKey.UserIndex(User), "bff:sessions:" + SessionKey.ProviderIndex("sid-1"));

        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.NotNull((await Vault.Find(key, slides: true)).Session);

        await Vault.EndAll(SessionKey.ProviderIndex("sid-1"), _ => true);
        Assert.Null((await Vault.Find(key, slides: false)).Session);
    }

    [Theory]
    [InlineData(false)]
    [RedisData(true)]
    public async Task An_extended_session_stays_in_its_indexes_until_its_new_end(bool onRedis)
    {
        await Start(onRedis);
        var key = await SignIn(TimeSpan.FromMinutes(20));
        _clock.Advance(TimeSpan.FromMinutes(10));
        var session = (await Vault.Find(key, slides: false)).Session!;
        Assert.True(await Vault.Replace(session, session.Record with { EndsAt = session.Record.EndsAt + TimeSpan.FromHours(1) }));
        _clock.Advance(TimeSpan.FromMinutes(15));

        Assert.Equal(key, Assert.Single(await Vault.Members(SessionKey.UserIndex(User))).Key);
        await Vault.EndAll(SessionKey.UserIndex(User), _ => true);
        Assert.Null((await Vault.Find(key, slides: false)).Session);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await (_services?.DisposeAsync() ?? default);
        _redis?.Dispose();
    }

    private async Task Start(bool onRedis)
    {
        _redis = onRedis ? RedisServer.Run() : null;
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Development" });
        builder.Logging.Watch();
        RedisServer.Configure(builder.Configuration, _redis?.ConnectionString);
        builder.Configuration["State:Timeout"] = Generous.StateTimeout;
        builder.Configuration["Session:Authority"] = "https://id.test";
        builder.Configuration["Session:ClientId"] = "web";
        builder.Configuration["Session:ClientSecret"] = "secret";
        builder.Services.AddSingleton<TimeProvider>(_clock);
        builder.AddReloading().AddState().AddBrowserSessions();
        _services = builder.Services.BuildServiceProvider();
        await StateEngines.Connect(_services);
    }

    private async Task<string> SignIn(TimeSpan life)
    {
        var (key, now) = (SessionKey.Hash(SessionKey.NewCookie()), _clock.GetUtcNow());
        await Vault.Add(
            key,
            new SessionRecord
            {
                Id = "s-1",
                Subject = User,
                Client = "web",
                Device = "Firefox",
                CreatedAt = now,
                EndsAt = now + life,
                ProviderSession = "sid-1",
                AccessToken = "a",
                AccessTokenIssuedAt = now,
                AccessTokenEndsAt = now + TimeSpan.FromMinutes(5),
                RefreshToken = "r",
            }
        );
        return key;
    }
}
