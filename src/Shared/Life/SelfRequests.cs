using System.Net;
using Bff.Configuration;
using Bff.Edge;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Bff.Life;

/// <summary>Sends requests to the host's own plain-HTTP address, so that the server, the stages and the problem writer are compiled before a client comes.</summary>
internal sealed class SelfRequests(IServer server, Reloadable<EdgeSettings> settings) : IWarmup
{
    private const int Requests = 200;

    public async Task Warm(CancellationToken cancellation)
    {
        if (Address(server.Features.Get<IServerAddressesFeature>()?.Addresses ?? []) is not { } address)
        {
            return; // TLS alone: its certificate names another host.
        }

        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("bff-warm-up"); // For whoever reads the access log.
        client.DefaultRequestHeaders.Host = Host(settings.Current.AllowedHosts);
        for (var i = 0; i < Requests; i++)
        {
            using var answer = await client.GetAsync(new Uri("/health/live", UriKind.Relative), cancellation);
        }
    }

    /// <summary>Where the host listens for plain HTTP: the very address, or the loopback one of its family where it takes any.</summary>
    internal static Uri? Address(IEnumerable<string> addresses)
    {
        foreach (var text in addresses)
        {
            if (text.StartsWith("http://", StringComparison.Ordinal) && Microsoft.AspNetCore.Http.BindingAddress.Parse(text) is { IsUnixPipe: false } bound)
            {
                return new Uri($"http://{Reachable(bound.Host)}:{bound.Port}");
            }
        }

        return null;
    }

    /// <summary>A name that the host answers to; null where it answers to any.</summary>
    internal static string? Host(string[] allowed) => allowed switch
    {
        [] => null,
        [var first, ..] when first.StartsWith("*.", StringComparison.Ordinal) => "warm-up" + first[1..],
        [var first, ..] => first,
    };

    private static string Reachable(string host)
    {
        if (!IPAddress.TryParse(host, out var address))
        {
            return host is "*" or "+" ? "localhost" : host;
        }

        return address.Equals(IPAddress.Any) ? "127.0.0.1" : address.Equals(IPAddress.IPv6Any) ? "[::1]" : host;
    }
}
