using System.Net;
using System.Text;
using Bff.Configuration;

namespace Bff.Upstreams;

/// <summary>Opens pooled connections to one set of addresses.</summary>
internal static class UpstreamConnections
{
    public static HttpMessageInvoker Open(UpstreamOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            ActivityHeadersPropagator = null, // ClientSpan sends the trace context; the framework would create a span for every call.
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
            // As the server has decoded them; the default rejects everything that is not ASCII.
            RequestHeaderEncodingSelector = static (_, _) => Encoding.UTF8,
            MaxConnectionsPerServer = int.MaxValue, // The bulkhead limits the calls.
            MaxResponseHeadersLength = 32,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5), // Bounds the time until a changed address behind a name is noticed.
        };
        if (TransportSecurity.From(options.ClientCertificate, options.ServerCa) is { } ssl)
        {
            handler.SslOptions = ssl;
        }

        return new HttpMessageInvoker(handler);
    }
}
