using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.AspNetCore.Routing.Template;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Model;

namespace Bff.Routes;

/// <summary>
/// Turns the addresses in a service's <c>Location</c>, <c>Content-Location</c> and <c>Link</c> into addresses at the gateway:
/// 1. the service's own address becomes its path there; one at another host leads nowhere; 2. what the gateway put before the path that it
/// was asked for, and took away from it, is put before this one: <c>/api/orders</c> went to <c>/orders</c>, so <c>/orders/o-1</c> is
/// <c>/api/orders/o-1</c>, if an endpoint answers there; 3. else the configured routes to the service are tried backwards. What leads
/// nowhere is left out: clients could not follow it, and it names what is inside.
/// </summary>
internal sealed class AnswerAddresses(IServiceProvider services)
{
    /// <summary>The service that answered, by its name; set by the handler.</summary>
    public static readonly HttpRequestOptionsKey<string> Service = new("bff.service");

    private volatile Map? _map;

    public static bool IsAddress(string name) =>
        name.Equals("Location", StringComparison.OrdinalIgnoreCase)
        || name.Equals("Content-Location", StringComparison.OrdinalIgnoreCase)
        || name.Equals("Link", StringComparison.OrdinalIgnoreCase);

    /// <summary>The header's value at the gateway; null where nothing of it leads anywhere.</summary>
    public string? Translate(string name, string value, HttpResponseMessage answer, HttpContext context) =>
        name.Equals("Link", StringComparison.OrdinalIgnoreCase)
            ? TranslateLinks(value, answer, context)
            : Translate(value, answer, context);

    private string? TranslateLinks(string value, HttpResponseMessage answer, HttpContext context)
    {
        List<string>? kept = null;
        foreach (var link in LinkHeader.Split(value))
        {
            if (
                LinkHeader.AddressOf(link) is var (start, length)
                && Translate(link.Substring(start, length), answer, context) is { } translated
                && WithAnchor(link, start + length, answer, context) is { } parameters
            )
            {
                (kept ??= []).Add(string.Concat(link.AsSpan(0, start), translated, parameters));
            }
        }

        return kept is null ? null : string.Join(", ", kept);
    }

    /// <summary>What follows the link's address, of which <c>anchor</c> is an address as well; null where that leads nowhere.</summary>
    private string? WithAnchor(string link, int from, HttpResponseMessage answer, HttpContext context)
    {
        if (LinkHeader.AnchorOf(link, from) is not var (start, length))
        {
            return link[from..];
        }

        return Translate(link.Substring(start, length), answer, context) is { } translated
            ? string.Concat(link.AsSpan(from, start - from), translated, link.AsSpan(start + length))
            : null;
    }

    private string? Translate(string value, HttpResponseMessage answer, HttpContext context)
    {
        if (
            answer.RequestMessage is not { RequestUri: { IsAbsoluteUri: true } asked } request
            || !Uri.TryCreate(asked, value, out var named)
            || (named.Authority != asked.Authority && named.Authority != context.Request.Host.Value)
            || named.Scheme is not ("http" or "https")
        )
        {
            return null;
        }

        if (!request.Options.TryGetValue(Service, out var service))
        {
            return null;
        }

        var map = Current();
        var path = named.AbsolutePath;
        var found =
            Beside(context.Request.Path.ToUriComponent(), asked.AbsolutePath, path) is { } beside && map.Answers(service, beside)
                ? beside
                : map.Backwards(service, path);
        // Two slashes would name a host.
        return found is null || found.StartsWith("//", StringComparison.Ordinal) ? null : found + named.Query + named.Fragment;
    }

    /// <summary>The same change of path backwards; null for a path that does not begin as the service's did.</summary>
    internal static string? Beside(string outside, string inside, string path)
    {
        var (o, i) = (outside.Length, inside.Length);
        var (lastO, lastI) = (o, i);
        while (o > 0 && i > 0 && outside[o - 1] == inside[i - 1])
        {
            o--;
            i--;
            if (outside[o] == '/')
            {
                (lastO, lastI) = (o, i); // Whole segments alone.
            }
        }

        var prefix = inside.AsSpan(0, lastI);
        return path.AsSpan().StartsWith(prefix, StringComparison.Ordinal) && (path.Length == lastI || path[lastI] == '/')
            ? string.Concat(outside.AsSpan(0, lastO), path.AsSpan(lastI))
            : null;
    }

    private Map Current()
    {
        if (_map is { IsCurrent: true } known)
        {
            return known;
        }

        var source = services.GetRequiredService<EndpointDataSource>();
        var token = source.GetChangeToken(); // Before the endpoints: what changes in between is read again.
        return _map = new Map(source.Endpoints, token);
    }

    /// <summary>Which paths the host answers at.</summary>
    private sealed class Map
    {
        private readonly IChangeToken _changed;
        private readonly List<(TemplateMatcher Pattern, string? Service)> _reads = [];
        private readonly List<RouteBackwards> _routes = [];

        public Map(IReadOnlyList<Endpoint> endpoints, IChangeToken changed)
        {
            _changed = changed;
            foreach (var endpoint in endpoints.OfType<RouteEndpoint>())
            {
                var route = endpoint.Metadata.GetMetadata<RouteModel>();
                if (route is not null)
                {
                    _routes.Add(new(route.Config, endpoint.RoutePattern));
                }

                // A pattern that begins with a parameter takes anything, and says nothing about this path.
                if (
                    endpoint.RoutePattern.PathSegments is [{ IsSimple: true } first, ..]
                    && first.Parts[0] is RoutePatternLiteralPart
                    && endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods
                        is null
                            or { Count: 0 }
                            or [.., "GET"]
                            or ["GET", ..]
                )
                {
                    _reads.Add((Matcher(endpoint.RoutePattern), route?.Config.ClusterId));
                }
            }
        }

        public bool IsCurrent => !_changed.HasChanged;

        /// <summary>
        /// An endpoint of the host's own may ask any service; a route to another service leads to something else of the same path.
        /// </summary>
        public bool Answers(string service, string path)
        {
            var asked = new PathString(Uri.UnescapeDataString(path));
            return _reads.Exists(read =>
                (read.Service is null || service.Equals(read.Service, StringComparison.OrdinalIgnoreCase))
                && read.Pattern.TryMatch(asked, [])
            );
        }

        public string? Backwards(string service, string path)
        {
            foreach (var route in _routes)
            {
                if (route.LeadsTo(service) && route.Outside(path) is { } outside)
                {
                    return outside;
                }
            }

            return null;
        }
    }

    internal static TemplateMatcher Matcher(RoutePattern pattern) => new(new RouteTemplate(pattern), []);
}
