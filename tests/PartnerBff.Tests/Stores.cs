using Bff.State;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace PartnerBff.Tests;

internal static class Stores
{
    /// <summary>Connected, for stores that are tested without a host.</summary>
    public static async Task<RedisState> Connect(RedisServer server, ILoggerFactory logging, TimeSpan? timeout = null)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("ConnectionStrings:redis", server.ConnectionString)]).Build();
        var state = new RedisState(configuration, Options.Create(new StateOptions { Timeout = timeout ?? TimeSpan.FromSeconds(5) }), logging.CreateLogger<RedisState>());
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
}
