using Bff.Configuration;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Configuration;

namespace Bff.Routes;

/// <summary>Gives YARP the routes and clusters of the current configuration.</summary>
internal sealed class ProxyConfigProvider : IProxyConfigProvider
{
    private volatile Snapshot _current;

    public ProxyConfigProvider(Reloadable<ProxyRoutes> routes)
    {
        _current = new Snapshot(routes.Current);
        routes.OnChange(next =>
        {
            var before = _current;
            _current = new Snapshot(next);
            before.Replaced.Cancel();
        });
    }

    public IProxyConfig GetConfig() => _current;

    private sealed class Snapshot(ProxyRoutes routes) : IProxyConfig
    {
        public CancellationTokenSource Replaced { get; } = new();

        public IReadOnlyList<RouteConfig> Routes => routes.Routes;

        public IReadOnlyList<ClusterConfig> Clusters => routes.Clusters;

        public IChangeToken ChangeToken => new CancellationChangeToken(Replaced.Token);
    }
}
