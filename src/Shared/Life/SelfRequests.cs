using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Bff.Life;

/// <summary>Sends requests to the host's own plain-HTTP address, so that the server, the stages and the problem writer are compiled before a client comes.</summary>
internal sealed class SelfRequests(IServer server) : IWarmup
{
    private const int Requests = 200;

    public async Task Warm(CancellationToken cancellation)
    {
        if (Address() is not { } address)
        {
            return; // TLS alone: its certificate names another host.
        }

        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = address };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("bff-warm-up"); // For whoever reads the access log.
        for (var i = 0; i < Requests; i++)
        {
            using var answer = await client.GetAsync(new Uri("/health/live", UriKind.Relative), cancellation);
        }
    }

    private Uri? Address()
    {
        foreach (var text in server.Features.Get<IServerAddressesFeature>()?.Addresses ?? [])
        {
            if (text.StartsWith("http://", StringComparison.Ordinal))
            {
                var port = Microsoft.AspNetCore.Http.BindingAddress.Parse(text).Port;
                return new UriBuilder("http", "127.0.0.1", port).Uri;
            }
        }

        return null;
    }
}
