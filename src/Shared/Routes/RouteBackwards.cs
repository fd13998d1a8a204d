using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.AspNetCore.Routing.Template;
using Yarp.ReverseProxy.Configuration;

namespace Bff.Routes;

/// <summary>
/// A configured route from the service's side. Transforms of the path that cannot be undone make a route that no address leads back
/// through.
/// </summary>
internal sealed class RouteBackwards(RouteConfig route, RoutePattern pattern)
{
    private readonly TemplateMatcher _outside = AnswerAddresses.Matcher(pattern);

    public bool LeadsTo(string service) => service.Equals(route.ClusterId, StringComparison.OrdinalIgnoreCase);

    /// <summary>Where a client finds the service's path; null where not through this route.</summary>
    public string? Outside(string path)
    {
        foreach (var transform in route.Transforms?.Reverse() ?? [])
        {
            if (transform.TryGetValue("PathRemovePrefix", out var removed))
            {
                path = removed.TrimEnd('/') + path;
            }
            else if (transform.TryGetValue("PathPrefix", out var added))
            {
                var prefix = added.TrimEnd('/');
                if (!path.StartsWith(prefix + "/", StringComparison.Ordinal))
                {
                    return null;
                }

                path = path[prefix.Length..];
            }
            else if (
                transform.Keys.Any(static key =>
                    key.StartsWith("Path", StringComparison.OrdinalIgnoreCase)
                    || key.Equals("CallerPath", StringComparison.OrdinalIgnoreCase)
                )
            )
            {
                return null;
            }
        }

        return _outside.TryMatch(new PathString(Uri.UnescapeDataString(path)), []) ? path : null;
    }
}
