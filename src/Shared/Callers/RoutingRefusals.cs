using System.Runtime.CompilerServices;
using Bff.Requests;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bff.Callers;

/// <summary>
/// Metadata: nothing is at the address. A request without a credential goes on as anonymous; one with a bad credential is told so.
/// </summary>
internal sealed record NothingThere;

/// <summary>
/// First half of deciding what routing refuses by itself like any endpoint. An endpoint that routing made says nothing about who may ask,
/// so the request is routed once more: with the first method of <c>Allow</c>, and without its media type, which routing then ignores. <see
/// cref="RoutingRefusalsMiddleware"/> is the second half.
/// </summary>
internal sealed class AskForGuardsMiddleware(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context) =>
        context.GetEndpoint() is null or RouteEndpoint ? next(context) : Ask(context, context.GetEndpoint()!);

    private async Task Ask(HttpContext context, Endpoint refusal)
    {
        var (request, response) = (context.Request, context.Response);
        BffRequest.Of(context).Refused = new(refusal, request.Method, request.ContentType);
        await refusal.RequestDelegate!(context); // Sets the status and Allow, and no more; the refusal itself comes last.
        var allowed = response.Headers.Allow is [{ } allow] ? allow.Split(',')[0].Trim() : null;
        response.StatusCode = StatusCodes.Status200OK;
        response.Headers.Allow = default;
        request.Method = allowed ?? request.Method;
        request.ContentType = null;
        request.RouteValues.Clear();
        context.SetEndpoint(null);
        await next(context);
    }
}

/// <summary>
/// Second half: 404, 405, 406 and 415 of routing become endpoints with guards, so that callers' stage, limits and admission treat them
/// like any other and the refusal costs the caller who caused it: 1. 406 and 415 take on all that the endpoint at the address asks for; 2.
/// 405 takes on the same, but any scope will do, because no operation was meant; 3. where nothing is, anonymous callers may hear so.
/// </summary>
internal sealed class RoutingRefusalsMiddleware(RequestDelegate next)
{
    private static readonly CallerRule AnyCaller = new(null);
    private static readonly Endpoint NotFound = new(
        static context =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        },
        new EndpointMetadataCollection(new NothingThere(), AnyCaller),
        "404 Not Found"
    );

    private readonly ConditionalWeakTable<Endpoint, Guarded> _known = [];

    public Task InvokeAsync(HttpContext context)
    {
        if (BffRequest.Of(context).Refused is { } refused)
        {
            var isMethod = context.Request.Method != refused.Method;
            context.Request.Method = refused.Method;
            context.Request.ContentType = refused.ContentType;
            context.SetEndpoint(Of(refused.Refusal, context.GetEndpoint() as RouteEndpoint, isMethod));
        }
        else if (context.GetEndpoint() is not RouteEndpoint)
        {
            // A HEAD that was routed as GET and led nowhere has been routed once more, and routing has refused it for its method.
            context.SetEndpoint(NotFound);
        }

        return next(context);
    }

    private Endpoint Of(Endpoint refusal, RouteEndpoint? guard, bool isMethod)
    {
        if (_known.TryGetValue(refusal, out var known) && known.Guard == guard)
        {
            return known.Endpoint;
        }

        // Not a RouteEndpoint: a refusal counts as use of no operation.
        var metadata = new EndpointMetadataCollection(Metadata(guard, isMethod));
        var endpoint = new Endpoint(refusal.RequestDelegate, metadata, refusal.DisplayName);
        _known.AddOrUpdate(refusal, new(guard, endpoint));
        return endpoint;
    }

    private static IEnumerable<object> Metadata(RouteEndpoint? guard, bool isMethod) =>
        guard switch
        {
            null => [new NothingThere(), AnyCaller],
            _ when !isMethod || guard.Metadata.GetMetadata<IAllowAnonymous>() is not null => guard.Metadata,
            _ => guard.Metadata.Where(static item => item is not (CallerRule or AnonymousAnswer)).Append(AnyCaller),
        };

    private sealed record Guarded(RouteEndpoint? Guard, Endpoint Endpoint);
}
