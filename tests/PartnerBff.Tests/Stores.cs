using Bff.State;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace PartnerBff.Tests;

internal static class Stores
{
    /// <summary>Returns a connected state, for tests of stores without a host.</summary>
    public static async Task<RedisState> Connect(RedisServer server, ILoggerFactory logging, TimeSpan? timeout = null)
    {
        var state = State(server.ConnectionString, logging, timeout ?? TimeSpan.FromSeconds(5));
        await Eventually.True(async () =>
        {
            try
            {
                return await state.Run("PING", database => database.PingAsync()) >= TimeSpan.Zero;
            }
            catch (StoreUnavailableException)
            {
                return false;
            }
        });
        return state;
    }

    public static RedisState State(string connectionString, ILoggerFactory logging, TimeSpan timeout)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(RedisServer.SettingsOf(connectionString)).Build();
        return new(configuration, Options.Create(new StateOptions { Timeout = timeout }), logging.CreateLogger<RedisState>());
    }
}
