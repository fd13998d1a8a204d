using System.Runtime.CompilerServices;
using Bff.Requests;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bff.Callers;

/// <summary>
/// Metadata of an endpoint that stands for an address where nothing exists. A request without a credential passes as anonymous, and one
/// with a bad credential is refused for the credential.
/// </summary>
internal sealed record NothingThere;

/// <summary>
/// First half of treating routing's own refusals like any endpoint. The endpoint that routing makes for a refusal does not say who may call
/// it. So the request is routed once more, with the first method of <c>Allow</c> and without its media type, which routing then ignores.
/// <see cref="RoutingRefusalsMiddleware"/> is the second half.
/// </summary>
internal sealed class AskForGuardsMiddleware(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext context) =>
        context.GetEndpoint() is null or RouteEndpoint ? next(context) : Ask(context, context.GetEndpoint()!);

    private async Task Ask(HttpContext context, Endpoint refusal)
    {
        var (request, response) = (context.Request, context.Response);
        BffRequest.Of(context).Refused = new(refusal, request.Method, request.ContentType);
        await refusal.RequestDelegate!(context); // Sets only the status and Allow. The refusal itself is written last.
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
/// Second half: gives routing's 404, 405, 406 and 415 the guards of an endpoint. Authentication, rate limits and admission then treat them
/// like any other endpoint, and the caller who caused the refusal pays for it. 1. 406 and 415 take on all requirements of the endpoint at
/// the address. 2. 405 takes on the same but accepts any scope, because no operation was selected. 3. 404 admits anonymous callers.
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
            // A HEAD that was routed as GET without a match has been routed once more, and routing has refused its method.
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

        // This is not a RouteEndpoint, so a refusal does not count as use of an operation.
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
