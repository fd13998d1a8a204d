using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.AspNetCore.Routing.Template;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Model;

namespace Bff.Routes;

/// <summary>
/// Translates the addresses in a service's <c>Location</c>, <c>Content-Location</c> and <c>Link</c> into addresses at the gateway:
/// 1. the service's own address is reduced to its path; an address at another host has no counterpart; 2. the change of prefix between the
/// client's path and the service's path is undone: if <c>/api/orders</c> was sent as <c>/orders</c>, then <c>/orders/o-1</c> becomes
/// <c>/api/orders/o-1</c>, provided that an endpoint answers there; 3. otherwise the configured routes to the service are applied
/// backwards. An address without a counterpart is dropped: clients could not follow it, and it would disclose internal names.
/// </summary>
internal sealed class AnswerAddresses(IServiceProvider services)
{
    /// <summary>Name of the service that answered; set by the handler.</summary>
    public static readonly HttpRequestOptionsKey<string> Service = new("bff.service");

    private volatile Map? _map;

    public static bool IsAddress(string name) =>
        name.Equals("Location", StringComparison.OrdinalIgnoreCase)
        || name.Equals("Content-Location", StringComparison.OrdinalIgnoreCase)
        || name.Equals("Link", StringComparison.OrdinalIgnoreCase);

    /// <summary>Returns the header's value at the gateway; null if none of its addresses has a counterpart.</summary>
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

    /// <summary>Returns the rest of the link with its <c>anchor</c> translated as well; null if the anchor has no counterpart.</summary>
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
        // A path that starts with two slashes would name a host.
        return found is null || found.StartsWith("//", StringComparison.Ordinal) ? null : found + named.Query + named.Fragment;
    }

    /// <summary>Undoes the change of prefix on a path; null if the path does not start with the service's prefix.</summary>
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
                (lastO, lastI) = (o, i); // Only whole segments count.
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
        var token = source.GetChangeToken(); // Read before the endpoints, so that a change in between causes another read.
        return _map = new Map(source.Endpoints, token);
    }

    /// <summary>The paths at which the host answers.</summary>
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

                // A pattern that starts with a parameter matches any path, so it proves nothing about this one.
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
        /// Whether an endpoint answers at the path. The host's own endpoints may call any service; a route to another service does not
        /// count, because it leads to a different resource with the same path.
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
