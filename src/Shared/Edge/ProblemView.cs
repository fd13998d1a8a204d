using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Edge;

/// <summary>
/// Endpoint metadata, or a service for the addresses <see cref="Below"/> a path that have no endpoint: what a problem looks like to people,
/// where the client asks for <c>text/html</c> as a browser does when it opens a page.
/// </summary>
/// <param name="Show">Makes the page; its status is the problem's.</param>
public sealed record ProblemView(Func<HttpContext, Problem, Task<IResult>> Show)
{
    /// <summary>As a service: the site whose mistyped addresses are answered so; empty as metadata.</summary>
    public PathString Below { get; init; }

    /// <summary>How the answer looks; null: as a problem document.</summary>
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

        // Of routing's own endpoints, such as that for another method, none is part of a site.
        return
            endpoint is not RouteEndpoint
            && context.RequestServices.GetService<ProblemView>() is { Below.HasValue: true } site
            && context.Request.Path.StartsWithSegments(site.Below)
            ? site
            : null;
    }
}
