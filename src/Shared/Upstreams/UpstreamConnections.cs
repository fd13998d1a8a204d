using System.Net;
using System.Text;
using Bff.Configuration;

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
            PlaintextStreamFilter = static (connection, _) =>
                new(
                    connection.NegotiatedHttpVersion.Major == 1 ? new ServiceStream(connection.PlaintextStream) : connection.PlaintextStream
                ),
            ConnectTimeout = options.Timeout,
            EnableMultipleHttp2Connections = true,
            // As the server has read them; unset, what is not ASCII is no request at all.
            RequestHeaderEncodingSelector = static (_, _) => Encoding.UTF8,
            MaxConnectionsPerServer = int.MaxValue, // The bulkhead bounds the calls.
            MaxResponseHeadersLength = 32,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5), // New addresses behind a name are found within this time.
        };
        if (TransportSecurity.From(options.ClientCertificate, options.ServerCa) is { } ssl)
        {
            handler.SslOptions = ssl;
        }

        return new HttpMessageInvoker(handler);
    }
}
