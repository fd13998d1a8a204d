using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.AspNetCore.Routing.Template;
using Yarp.ReverseProxy.Configuration;

namespace Bff.Routes;

/// <summary>
/// Applies a configured route backwards, from a service's path to the client's. A route whose path transforms cannot be undone matches
/// nothing.
/// </summary>
internal sealed class RouteBackwards(RouteConfig route, RoutePattern pattern)
{
    private readonly TemplateMatcher _outside = AnswerAddresses.Matcher(pattern);

    public bool LeadsTo(string service) => service.Equals(route.ClusterId, StringComparison.OrdinalIgnoreCase);

    /// <summary>Returns the client's path for the service's path; null if this route does not lead there.</summary>
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
