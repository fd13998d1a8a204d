using System.Net;
using System.Net.Sockets;
using Bff.Configuration;
using Bff.Edge;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.Logging;

namespace Bff.Life;

/// <summary>
/// Sends requests to the host itself, at an address on which it listens and under a host name that it accepts, so that server, stages and
/// serializers are compiled before the first client arrives.
/// </summary>
internal sealed partial class SelfRequests(IServer server, Reloadable<EdgeSettings> settings, ILogger<SelfRequests> logger) : IWarmup
{
    private const int Requests = 200;
    private const string Path = "/health/live";

    public async Task Warm(CancellationToken cancellation)
    {
        if (SelfAddress.Of(server.Features.Get<IServerAddressesFeature>()?.Addresses ?? []) is not { } address)
        {
            LogNowhere(logger);
            return;
        }

        using var client = new HttpClient(Handler(address)) { BaseAddress = address.Uri };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("bff-warm-up"); // Identifies these requests in the access log.
        client.DefaultRequestHeaders.Host = Host(settings.Current.AllowedHosts);
        for (var i = 0; i < Requests; i++)
        {
            using var answer = await client.GetAsync(new Uri(Path, UriKind.Relative), cancellation);
            if (answer.StatusCode != HttpStatusCode.OK)
            {
                LogRefused(logger, Path, client.DefaultRequestHeaders.Host ?? address.Uri.Authority, (int)answer.StatusCode);
                return;
            }
        }
    }

    /// <summary>Returns a host name that the host accepts. Null if it accepts any.</summary>
    internal static string? Host(string[] allowed) =>
        allowed switch
        {
            [] => null,
            [var first, ..] when first.StartsWith("*.", StringComparison.Ordinal) => "warm-up" + first[1..],
            [var first, ..] => first,
        };

    private static SocketsHttpHandler Handler(SelfAddress address)
    {
        var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };
        // The connection is to the host itself, whatever name the certificate is for.
        handler.SslOptions.RemoteCertificateValidationCallback = static (_, own, _, _) => own is not null;
        if (address.Socket is { } socket)
        {
            handler.ConnectCallback = async (_, cancellation) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellation);
                    return new NetworkStream(connection, ownsSocket: true);
                }
                catch
                {
                    connection.Dispose();
                    throw;
                }
            };
        }

        return handler;
    }

    [LoggerMessage(
        1104,
        LogLevel.Error,
        "The warm-up request for {Path} to host {Host} was answered with {Status}; the first requests are slower",
        EventName = "WarmupRequestRefused"
    )]
    private static partial void LogRefused(ILogger logger, string path, string host, int status);

    [LoggerMessage(
        1105,
        LogLevel.Error,
        "The host listens on no address that it can send a warm-up request to; the first requests are slower",
        EventName = "WarmupHasNoAddress"
    )]
    private static partial void LogNowhere(ILogger logger);
}

/// <summary>The address at which a host reaches itself.</summary>
/// <param name="Uri">Scheme, host and port.</param>
/// <param name="Socket">Path of the Unix socket to connect to instead. Null: the host and port of <paramref name="Uri"/>.</param>
internal sealed record SelfAddress(Uri Uri, string? Socket)
{
    /// <summary>
    /// Chooses an address: plain HTTP if there is one, TLS otherwise. Keeps the bound address, or takes the loopback address of its family
    /// if the host listens on any address.
    /// </summary>
    public static SelfAddress? Of(IEnumerable<string> addresses) =>
        addresses
            .Select(Microsoft.AspNetCore.Http.BindingAddress.Parse)
            .Where(a => !a.IsNamedPipe)
            .OrderBy(a => a.Scheme != Uri.UriSchemeHttp)
            .Select(Of)
            .FirstOrDefault();

    private static SelfAddress Of(Microsoft.AspNetCore.Http.BindingAddress bound) =>
        bound.IsUnixPipe
            ? new(new Uri($"{bound.Scheme}://localhost"), bound.UnixPipePath)
            : new(new Uri($"{bound.Scheme}://{Reachable(bound.Host)}:{bound.Port}"), null);

    private static string Reachable(string host)
    {
        if (!IPAddress.TryParse(host, out var address))
        {
            return host is "*" or "+" ? "localhost" : host;
        }

        return address.Equals(IPAddress.Any) ? "127.0.0.1"
            : address.Equals(IPAddress.IPv6Any) ? "[::1]"
            : host;
    }
}
