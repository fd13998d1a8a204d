using System.Globalization;
using Bff.Configuration;
using Bff.State;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Bff.Shared.Tests.State;

/// <summary>Tests Redis as companies run it: a user whose password rotates, TLS with a private authority, Sentinels.</summary>
public sealed class RedisAccessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("bff-password-").FullName;

    [Theory]
    [InlineData("redis://127.0.0.1:6380", "127.0.0.1:6380", null, null, null, false)]
    [InlineData("redis://bff:p%40ss%2Cw%3Ard@redis.example:6380/3", "redis.example:6380", "bff", "p@ss,w:rd", 3, false)]
    [InlineData("rediss://:secret@redis.example", "redis.example:0", null, "secret", null, true)]
    [InlineData("REDISS://bff:secret@one:1,two:2?serviceName=primary&sslHost=redis.internal", "one:1,two:2", "bff", "secret", null, true)]
    [InlineData(
        "redis.example:6380,user=bff,password=secret,ssl=true,sslHost=other,serviceName=primary",
        "redis.example:6380",
        "bff",
        "secret",
        null,
        true
    )]
    public void An_address_or_a_connection_string_says_where_who_and_how(
        string text,
        string endpoints,
        string? user,
        string? password,
        int? database,
        bool ssl
    )
    {
        var options = RedisAddress.Parse(text)!;

        Assert.Equal(
            endpoints,
            string.Join(',', options.EndPoints.Select(e => e is System.Net.DnsEndPoint name ? $"{name.Host}:{name.Port}" : e.ToString()))
        );
        Assert.Equal((user, password, database, ssl), (options.User, options.Password, options.DefaultDatabase, options.Ssl));
    }

    [Theory]
    [InlineData("redis://")]
    [InlineData("redis://host:port")]
    [InlineData("redis://host/first")]
    [InlineData("rediss://host?nonsense=1")]
    [InlineData("host:6379,syncTimeout=99999999999999")]
    [InlineData("host:6379,ssl=perhaps")]
    [InlineData("user=bff,password=secret")]
    public void Anything_else_is_no_address(string text) => Assert.Null(RedisAddress.Parse(text));

    [RedisFact]
    public async Task A_password_that_rotates_is_taken_up_without_a_restart_and_without_a_failed_operation()
    {
        using var server = RedisServer.Run();
        server.Lock();
        var file = Path.Combine(_folder, "password");
        server.Command("ACL", "SETUSER", "bff", ">first");
        await File.WriteAllTextAsync(file, "first\n");
        var log = new LogRecorder();
        await using var provider = Provider(server.Address + ",user=bff", log, ("State:Redis:PasswordFile", file));
        var state = await Ready(provider);
        using var stop = new CancellationTokenSource();
        var load = Load(state, stop.Token);

        await File.WriteAllTextAsync(file, "second\n"); // Redis does not know it yet; the current connection stays open.
        await RedisStateTests.Until(() => Task.FromResult(log.Entries.Any(e => e.Event.Name == "RedisPasswordNotAccepted")));
        server.Command("ACL", "SETUSER", "bff", ">second");
        await RedisStateTests.Until(() => Task.FromResult(log.Entries.Any(e => e.Event.Name == "RedisPasswordRenewed")));
        server.Command("ACL", "SETUSER", "bff", "<first");

        await stop.CancelAsync();
        Assert.True(await load > 0);
        server.Command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"); // New connections must use the new password.
        await RedisStateTests.Until(async () =>
        {
            try
            {
                return await state.Run("GET", db => db.StringGetAsync("bff:test:{a}")) != "";
            }
            catch (StoreUnavailableException)
            {
                return false;
            }
        });
        Assert.DoesNotContain(log.Entries, e => e.Message.Contains("second", StringComparison.Ordinal));
    }

    [RedisFact]
    public async Task Over_TLS_the_server_is_known_by_a_private_authority_and_knows_the_gateway_by_its_certificate()
    {
        using var authority = new TestAuthority();
        using var stranger = new TestAuthority();
        var (serverCertificate, clientCertificate) = (authority.Issue("redis"), authority.Issue("gateway"));
        using var server = RedisServer.Run();
        var port = server.Tls(serverCertificate, authority.AuthorityFile);
        var address = string.Create(CultureInfo.InvariantCulture, $"rediss://bff:of-the-tests-alone@127.0.0.1:{port}");
        await using var provider = Provider(
            address,
            null,
            ("State:Redis:ServerCa:Path", authority.AuthorityFile),
            ("State:Redis:ClientCertificate:Path", clientCertificate.CertificateFile),
            ("State:Redis:ClientCertificate:KeyPath", clientCertificate.KeyFile)
        );
        var state = await Ready(provider);
        Assert.True(await state.Run("SET", db => db.StringSetAsync("bff:test:{a}", "1", TimeSpan.FromMinutes(1))));

        await using var distrusting = Provider(
            address,
            null,
            ("State:Redis:ServerCa:Path", stranger.AuthorityFile),
            ("State:Redis:ClientCertificate:Path", clientCertificate.Pkcs12File),
            ("State:Redis:ClientCertificate:Password", clientCertificate.Password)
        );
        await Assert.ThrowsAsync<StoreUnavailableException>(() =>
            distrusting.GetRequiredService<RedisState>().Run("GET", db => db.StringGetAsync("bff:test:{a}"))
        );
        await using var nameless = Provider(address, null, ("State:Redis:ServerCa:Path", authority.AuthorityFile));
        await Assert.ThrowsAsync<StoreUnavailableException>(() =>
            nameless.GetRequiredService<RedisState>().Run("GET", db => db.StringGetAsync("bff:test:{a}"))
        );
    }

    [RedisFact]
    public async Task Through_Sentinels_a_failover_under_load_is_followed_and_loses_nothing_that_had_been_replicated()
    {
        using var primary = RedisServer.Run("--min-replicas-to-write", "1", "--min-replicas-max-lag", "10");
        using var replica = RedisServer.Run("--replicaof", "127.0.0.1 " + primary.Port.ToString(CultureInfo.InvariantCulture));
        await RedisStateTests.Until(() =>
            Task.FromResult(replica.Command("INFO", "replication").Contains("master_link_status:up", StringComparison.Ordinal))
        );
        using var sentinel = RedisSentinel.Run("shop", primary);
        await using var provider = Provider(sentinel.Address + ",serviceName=shop" + RedisServer.AsUser, null);
        var state = await Ready(provider);
        using var stop = new CancellationTokenSource();
        var acknowledged = new List<string>();
        var load = Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
            {
                try
                {
                    await state.Run("SET", db => db.StringSetAsync($"bff:test:{i}", "1", TimeSpan.FromMinutes(10)));
                    acknowledged.Add($"bff:test:{i}");
                }
                catch (StoreUnavailableException)
                {
                    await Task.Delay(1);
                }
            }
        });
        await RedisStateTests.Until(() => Task.FromResult(acknowledged.Count > 100));

        var atFailover = acknowledged.Count;
        sentinel.Failover();
        await RedisStateTests.Until(() => Task.FromResult(sentinel.PrimaryPort == replica.Port));
        var before = acknowledged.Count;
        await RedisStateTests.Until(() => Task.FromResult(acknowledged.Count > before + 100));
        await stop.CancelAsync();
        await load;

        // Redis answers before it replicates. Only writes that were being replicated at the moment of the failover may be lost.
        var lost = acknowledged
            .Select((key, i) => (Key: key, At: i))
            .Where(k => replica.Command("EXISTS", k.Key) != ":1\r\n")
            .Select(k => k.At)
            .ToList();
        Assert.DoesNotContain(lost, at => at < atFailover || at >= acknowledged.Count - 100);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Runs operations until stopped, each of which must succeed. Returns their number.</summary>
    private static Task<int> Load(RedisState state, CancellationToken stop) =>
        Task.Run(async () =>
        {
            var done = 0;
            for (; !stop.IsCancellationRequested; done++)
            {
                await state.Run("SET", db => db.StringSetAsync("bff:test:{a}", done, TimeSpan.FromMinutes(10)));
            }

            return done;
        });

    private static async Task<RedisState> Ready(ServiceProvider provider)
    {
        var state = provider.GetRequiredService<RedisState>();
        state.Start();
        await RedisStateTests.Until(() => Task.FromResult(state.IsAvailable));
        return state;
    }

    private static ServiceProvider Provider(string address, LogRecorder? log, params (string Key, string Value)[] settings)
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

        builder.Configuration.AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value)));
        builder.Configuration["ConnectionStrings:redis"] = address;
        builder.Configuration["State:Timeout"] = Generous.StateTimeout;
        builder.AddState();
        return builder.Services.BuildServiceProvider();
    }
}
