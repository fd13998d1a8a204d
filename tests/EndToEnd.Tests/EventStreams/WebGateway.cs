using Bff.TestKit;

namespace Bff.EndToEnd.Tests.EventStreams;

/// <summary>Starts the web gateway as a process of its own.</summary>
internal static class WebGateway
{
    public static Task<GatewayProcess> Start(
        Surroundings surroundings,
        string folder,
        RedisServer redis,
        params (string Key, string Value)[] settings
    ) =>
        GatewayProcess.Start(
            "WebBff",
            surroundings,
            folder,
            [("ConnectionStrings:redis", redis.ConnectionString), ("Shutdown:Delay", "00:00:00"), .. settings]
        );
}
