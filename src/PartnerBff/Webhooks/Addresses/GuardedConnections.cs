using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;

namespace PartnerBff.Webhooks.Addresses;

/// <summary>The connection is refused because of its address.</summary>
internal sealed class ForbiddenAddressException() : IOException("The address is not on the public internet.");

/// <summary>Resolves a host name; tests replace it.</summary>
internal delegate Task<IPAddress[]> ResolveHost(string host, CancellationToken cancellation);

/// <summary>
/// Opens the connections to partners' endpoints: 1. resolves the name once; 2. refuses if any of the addresses is not public; 3. connects
/// to exactly those addresses, so that a later change of the name has no effect. No redirects, proxy, cookies or trace headers.
/// </summary>
internal sealed class GuardedConnections(ResolveHost resolve, IOptions<WebhookOptions> options)
{
    public SocketsHttpHandler CreateHandler() =>
        new()
        {
            ConnectCallback = Connect,
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            MaxConnectionsPerServer = 16,
            MaxResponseHeadersLength = 16,
            MaxResponseDrainSize = 16 * 1024,
        };

    private async ValueTask<Stream> Connect(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await resolve(host, cancellation);
        if (addresses.Length == 0 || (!options.Value.AllowPrivateNetworks && !Array.TrueForAll(addresses, AddressGuard.IsPublic)))
        {
            throw new ForbiddenAddressException();
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
