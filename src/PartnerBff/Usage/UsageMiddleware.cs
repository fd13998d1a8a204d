using System.Collections.Concurrent;
using Bff.Requests;
using PartnerBff.Requests;

namespace PartnerBff.Usage;

/// <summary>Records usage: caller, endpoint, result and duration. Wraps the whole pipeline, so that refusals count too.</summary>
internal sealed class UsageMiddleware(RequestDelegate next, UsageRecorder recorder, RequestLog log, TimeProvider time)
{
    private readonly ConcurrentDictionary<Endpoint, string> _names = new();

    public async Task InvokeAsync(HttpContext context)
    {
        var started = time.GetTimestamp();
        await next(context);
        if (
            context.Features.Get<BffRequest>() is { Caller: { Tenant: { } tenant } caller } request
            && context.GetEndpoint() is RouteEndpoint endpoint
            && endpoint.RoutePattern.RawText is { } route
            && (route.StartsWith("/v", StringComparison.Ordinal) || (route == "/mcp" && context.Features.Get<CountedElsewhere>() is null))
        )
        {
            var name = _names.GetOrAdd(
                endpoint,
                static (_, c) => c.Method + " " + c.Route.TrimEnd('/'),
                (context.Request.Method, Route: route)
            );
            var (account, latency) = (UsageKey.AccountOf(tenant, caller.IsSandbox), time.GetElapsedTime(started));
            recorder.Add(account, name, context.Response.StatusCode, latency, caller.IsSandbox ? 0 : request.Overage);
            log.Add(
                account,
                new(
                    request.RequestId,
                    time.GetUtcNow() - latency,
                    context.Request.Method,
                    route.TrimEnd('/'),
                    context.Response.StatusCode,
                    Math.Round(latency.TotalMilliseconds, 1),
                    caller.KeyId
                )
            );
        }
    }
}
