using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Edge;

/// <summary>
/// Renders a problem as a page for people, when the client asks for <c>text/html</c> like a browser that opens a page. It is endpoint
/// metadata, or a service for addresses without an endpoint <see cref="Below"/> a path.
/// </summary>
/// <param name="Show">Creates the page. The page's status is the problem's.</param>
public sealed record ProblemView(Func<HttpContext, Problem, Task<IResult>> Show)
{
    /// <summary>For a service: the path of the site whose unknown addresses get this page. Empty for metadata.</summary>
    public PathString Below { get; init; }

    /// <summary>Returns the view for the request; null for a problem document.</summary>
    internal static ProblemView? Of(HttpContext context)
    {
        if (!MediaTypes.AcceptsHtml(context.Request))
        {
            return null;
        }

        var endpoint = context.GetEndpoint();
        if (endpoint?.Metadata.GetMetadata<ProblemView>() is { } own)
        {
            return own;
        }

        // The endpoints that routing makes, such as the one for a wrong method, are not part of a site.
        return
            endpoint is not RouteEndpoint
            && context.RequestServices.GetService<ProblemView>() is { Below.HasValue: true } site
            && context.Request.Path.StartsWithSegments(site.Below)
            ? site
            : null;
    }
}
