using System.Globalization;
using Bff.Configuration;
using Bff.Edge;
using Bff.Routes.GraphQl;
using Bff.Upstreams;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Configuration;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Bff.Routes;

/// <summary>Configuration of pass-through; replaced as a whole on a reload.</summary>
/// <param name="Routes">The routes from <c>ReverseProxy:Routes</c>, in YARP's own format.</param>
/// <param name="Clusters">One cluster for each upstream.</param>
/// <param name="GraphQl">Rules of the GraphQL routes by route id.</param>
internal sealed record ProxyRoutes(
    IReadOnlyList<RouteConfig> Routes,
    IReadOnlyList<ClusterConfig> Clusters,
    IReadOnlyDictionary<string, GraphQlRules> GraphQl
);

/// <summary>Reads YARP's routes and creates a cluster for every upstream.</summary>
internal static class RouteParser
{
    private const string BodyLimitKey = "MaxRequestBodySize";
    private const string IdleTimeoutKey = "IdleTimeout";
    private static readonly string[] GraphQlKeys =
    [
        "Metadata:MaxDepth",
        "Metadata:MaxAliases",
        "Metadata:Introspection",
        "Metadata:PersistedQueries:Path",
    ];

    public static ProxyRoutes Parse(IConfiguration configuration, ITransformBuilder transforms, ConfigurationMistakes mistakes)
    {
        // Mistakes in upstreams are reported by their own stage.
        var upstreams = UpstreamsParser.Parse(configuration.GetSection("Upstreams"), new ConfigurationMistakes());
        if (configuration.GetSection("ReverseProxy:Clusters").Exists())
        {
            mistakes.Add(
                "ReverseProxy:Clusters",
                "is not read, because clusters are made from Upstreams. Move the addresses to Upstreams:<name>:Address."
            );
        }

        var graphQl = new Dictionary<string, GraphQlRules>(StringComparer.OrdinalIgnoreCase);
        var routes = configuration
            .GetSection("ReverseProxy:Routes")
            .GetChildren()
            .Select(section => Route(section, upstreams, transforms, graphQl, mistakes))
            .OfType<RouteConfig>()
            .ToList();
        return new(routes, [.. upstreams.Values.Select(Cluster)], graphQl);
    }

    /// <summary>Returns the route's idle timeout; null if it sets none.</summary>
    public static TimeSpan? IdleTimeoutOf(RouteConfig? route) =>
        TimeSpan.TryParseExact(route?.Metadata?.GetValueOrDefault(IdleTimeoutKey), "c", CultureInfo.InvariantCulture, out var idle)
            ? idle
            : null;

    /// <summary>Returns the route's limit on bodies; null if it sets none.</summary>
    public static RouteBodyLimit? BodyLimitOf(RouteConfig route) =>
        long.TryParse(route.Metadata?.GetValueOrDefault(BodyLimitKey), CultureInfo.InvariantCulture, out var bytes)
            ? new(bytes < 0 ? null : bytes)
            : null;

    private static RouteConfig? Route(
        IConfigurationSection section,
        Dictionary<string, UpstreamOptions> upstreams,
        ITransformBuilder transforms,
        Dictionary<string, GraphQlRules> graphQl,
        ConfigurationMistakes mistakes
    )
    {
        var cluster = section["ClusterId"];
        var isKnown = cluster is not null && upstreams.ContainsKey(cluster);
        if (!isKnown)
        {
            mistakes.Add(
                section,
                "ClusterId",
                $"'{cluster}' is not the name of an upstream. " + ConfigurationMistakes.Choose(upstreams.Keys, "Upstreams")
            );
        }

        var read = mistakes.Bind(section, new RouteSettings());
        var route = new RouteConfig
        {
            RouteId = section.Key,
            ClusterId = cluster,
            Order = read.Order,
            AuthorizationPolicy = section["AuthorizationPolicy"],
            Match = new RouteMatch
            {
                Path = section["Match:Path"],
                Methods = read.Methods,
                Hosts = read.Hosts,
                Headers =
                [
                    .. section.GetSection("Match:Headers").GetChildren().Select(h => Header(mistakes.Bind(h, new HeaderSettings()))),
                ],
                QueryParameters =
                [
                    .. section
                        .GetSection("Match:QueryParameters")
                        .GetChildren()
                        .Select(q => QueryParameter(mistakes.Bind(q, new QueryParameterSettings()))),
                ],
            },
            Metadata = section
                .GetSection("Metadata")
                .GetChildren()
                .ToDictionary(c => c.Key, c => c.Value ?? "", StringComparer.OrdinalIgnoreCase),
            Transforms = section.GetSection("Transforms").Exists()
                ?
                [
                    .. section
                        .GetSection("Transforms")
                        .GetChildren()
                        .Select(t => t.GetChildren().ToDictionary(c => c.Key, c => c.Value ?? "", StringComparer.OrdinalIgnoreCase)),
                ]
                : null,
        };
        if (read.MaxRequestBodySize is { } bytes)
        {
            // The proxy's own member is not used: it would apply after the body is read, and a change of it alone would go unnoticed.
            ((IDictionary<string, string>)route.Metadata!)[BodyLimitKey] = bytes.ToString(CultureInfo.InvariantCulture);
        }

        if (read.IdleTimeout is { } idle)
        {
            ((IDictionary<string, string>)route.Metadata!)[IdleTimeoutKey] = idle.ToString("c", CultureInfo.InvariantCulture);
        }

        if (read is { GrpcWeb: true, Protocol: not RouteProtocol.Grpc })
        {
            mistakes.Add(
                section,
                "Metadata:GrpcWeb",
                "has an effect only on routes whose Metadata:Protocol is Grpc. Set Metadata:Protocol, or remove this key."
            );
        }

        if (GraphQl(section, read, mistakes) is { } rules)
        {
            graphQl[section.Key] = rules;
        }

        Check(section, route, mistakes); // Reports all mistakes at once, including those of a route to an unknown upstream.
        foreach (var mistake in transforms.ValidateRoute(route)) // The proxy itself would report them only when it loads the route.
        {
            mistakes.Add(section.Path, mistake.Message);
        }

        return isKnown ? route : null;
    }

    private static GraphQlRules? GraphQl(IConfigurationSection section, RouteSettings read, ConfigurationMistakes mistakes)
    {
        if (read.Protocol != RouteProtocol.GraphQL)
        {
            foreach (var key in GraphQlKeys.Where(k => section[k] is not null))
            {
                mistakes.Add(
                    section,
                    key,
                    "has an effect only on routes whose Metadata:Protocol is GraphQL. Set Metadata:Protocol, or remove this key."
                );
            }

            return null;
        }

        var rules = new GraphQlRules(read.MaxDepth, read.MaxAliases, read.Introspection, null);
        var path = section.GetSection("Metadata:PersistedQueries:Path");
        return path.Value is null ? rules : rules with { Allowed = PersistedOperations.Load(path.Value, rules, path, mistakes) };
    }

    private static void Check(IConfigurationSection section, RouteConfig route, ConfigurationMistakes mistakes)
    {
        if (route.Match.Path is not { Length: > 1 } path || path[0] != '/')
        {
            mistakes.Add(section, "Match:Path", "is missing or does not begin with a slash. Write a path such as /api/orders/{id}.");
        }
        else
        {
            try
            {
                RoutePatternFactory.Parse(path);
            }
            catch (RoutePatternException invalid)
            {
                mistakes.Add(section, "Match:Path", invalid.Message);
            }
        }

        var anonymous = string.Equals(route.AuthorizationPolicy, "Anonymous", StringComparison.OrdinalIgnoreCase);
        if (route.AuthorizationPolicy is not null && !anonymous)
        {
            mistakes.Add(
                section,
                "AuthorizationPolicy",
                "must be Anonymous or absent. Name the scope that callers need in Metadata:Scope."
            );
        }

        if (anonymous && route.Match.Path?.Contains("{**", StringComparison.Ordinal) == true)
        {
            mistakes.Add(
                section,
                "Match:Path",
                "has {**, which an anonymous route may not have: anonymous routes match exact paths. Write the paths one by one."
            );
        }

        if (route.Metadata?.GetValueOrDefault("Limits") is { } limits && !limits.Equals("none", StringComparison.OrdinalIgnoreCase))
        {
            mistakes.Add(
                section,
                "Metadata:Limits",
                "must be none or absent. Set other limits in Limits:Endpoints:<name>, with the route's Metadata:Endpoint as the name."
            );
        }

        if (route.Transforms?.Any(static t => t.ContainsKey("ResponseHeadersAllowed")) == true)
        {
            mistakes.Add(section, "Transforms", "has ResponseHeadersAllowed, which is not read. Add the headers' names to Headers:Return.");
        }

        if (!anonymous && string.IsNullOrWhiteSpace(route.Metadata?.GetValueOrDefault("Scope")))
        {
            mistakes.Add(
                section,
                "Metadata:Scope",
                "is missing. Name the scope that callers need, or set AuthorizationPolicy to Anonymous."
            );
        }
    }

    private static RouteHeader Header(HeaderSettings read) =>
        new()
        {
            Name = read.Name,
            Values = read.Values,
            Mode = read.Mode,
            IsCaseSensitive = read.IsCaseSensitive,
        };

    private static RouteQueryParameter QueryParameter(QueryParameterSettings read) =>
        new()
        {
            Name = read.Name,
            Values = read.Values,
            Mode = read.Mode,
            IsCaseSensitive = read.IsCaseSensitive,
        };

    private static ClusterConfig Cluster(UpstreamOptions upstream) =>
        new()
        {
            ClusterId = upstream.Name,
            Destinations = new Dictionary<string, DestinationConfig> { ["0"] = new() { Address = upstream.Addresses[0].AbsoluteUri } },
            HttpRequest = new()
            {
                Version = upstream.Http2 ? System.Net.HttpVersion.Version20 : System.Net.HttpVersion.Version11,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                ActivityTimeout = IdleTimeouts.Stream,
            },
        };
}
