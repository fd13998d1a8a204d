using System.Net;

namespace Bff.Upstreams;

/// <summary>Pooled connections to one set of addresses.</summary>
internal static class UpstreamConnections
{
    public static HttpMessageInvoker Open(UpstreamOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            ActivityHeadersPropagator = null, // ClientSpan tells services of the trace; the framework would make a span for every call.
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            UseProxy = false,
            ConnectTimeout = options.Timeout,
            EnableMultipleHttp2Connections = true,
            MaxConnectionsPerServer = int.MaxValue, // The bulkhead bounds the calls.
            MaxResponseHeadersLength = 32,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5), // New addresses behind a name are found within this time.
        };
        if (TransportSecurity.From(options) is { } ssl)
        {
            handler.SslOptions = ssl;
        }

        return new HttpMessageInvoker(handler);
    }
}
