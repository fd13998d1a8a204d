using System.Globalization;
using System.Net;

namespace Bff.Dev.Upstreams;

public sealed class SampleServicesOptions
{
    /// <summary>
    /// Port of <c>users</c>; the others follow in the order of <see cref="SampleServices.All"/>. 0 uses any free port for each.
    /// </summary>
    public int BasePort { get; init; }

    /// <summary>Address to listen on; loopback unless the services run in a container of their own.</summary>
    public IPAddress Host { get; init; } = IPAddress.Loopback;

    /// <summary>Whether calls are recorded for <c>GET /__calls</c>; a load test turns it off.</summary>
    public bool Record { get; init; } = true;

    /// <summary>How often an open WebSocket receives something new; infinite by default, so that tests decide when.</summary>
    public TimeSpan NotificationInterval { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>
    /// Authority whose tokens the services require, each with its own name as the audience. Null requires no tokens.
    /// </summary>
    public string? TokenAuthority { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    internal static SampleServicesOptions From(IConfiguration settings) =>
        new()
        {
            BasePort = int.Parse(settings["base-port"] ?? "9001", CultureInfo.InvariantCulture),
            Host = IPAddress.Parse(settings["host"] ?? "127.0.0.1"),
            Record = bool.Parse(settings["record"] ?? "true"),
            TokenAuthority = settings["token-authority"]?.TrimEnd('/'),
            NotificationInterval = TimeSpan.FromSeconds(
                double.Parse(settings["notification-interval"] ?? "5", CultureInfo.InvariantCulture)
            ),
        };
}
