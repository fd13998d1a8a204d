using System.Runtime.CompilerServices;
using Bff.Requests;
using Bff.Tenancy;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Admission;

/// <summary>
/// Stage 4. Serves as many requests at once as the host serves well:
/// 1. endpoints that are never shed pass by; 2. a tenant at its own ceiling is refused; 3. a free slot is taken; 4. else the request waits,
/// important ones first,
/// 5. and is refused with 503 <c>overloaded</c> when there is no room to wait or no slot within a second; 6. a stream gives its slot back
/// once it streams, and who sends a body is without one while it is waited for.
/// </summary>
internal sealed class AdmissionMiddleware(
    RequestDelegate next,
    AdmissionGate gate,
    AdaptiveLimit limit,
    TenantSlots tenants,
    AdmissionClassifier classify,
    AdmissionMetrics metrics,
    TimeProvider time
)
{
    internal static readonly Problem Overloaded = new(ProblemCodes.Overloaded) { RetryAfter = TimeSpan.FromSeconds(1) };

    public Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<NeverShed>() is not null)
        {
            return next(context);
        }

        var request = classify(BffRequest.Of(context));
        return request.TenantMaxConcurrency is null && gate.TryEnter() ? Serve(context, request.Priority) : Admit(context, request);
    }

    private async Task Admit(HttpContext context, AdmissionClass request)
    {
        StrongBox<int>? tenant = null;
        if (request is { Tenant: { } name, TenantMaxConcurrency: { } ceiling } && (tenant = tenants.TryEnter(name, ceiling)) is null)
        {
            metrics.Shed("tenant", request.Priority);
            await Overloaded.ExecuteAsync(context);
            return;
        }

        try
        {
            if (!gate.TryEnter() && !await Wait(context, request.Priority))
            {
                return;
            }

            await Serve(context, request.Priority);
        }
        finally
        {
            if (tenant is not null)
            {
                TenantSlots.Leave(tenant);
            }
        }
    }

    private async ValueTask<bool> Wait(HttpContext context, TenantPriority priority)
    {
        var outcome = await gate.Enter(priority, context.RequestAborted);
        switch (outcome)
        {
            case AdmissionOutcome.Admitted:
                return true;
            case AdmissionOutcome.Gone:
                return false; // The client has gone.
            default:
                metrics.Shed(outcome, priority);
                await Overloaded.ExecuteAsync(context);
                return false;
        }
    }

    private Task Serve(HttpContext context, TenantPriority priority)
    {
        var mayStream = MayStream(context);
        return mayStream || context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == true
            ? ServeLong(context, mayStream, new AdmissionPlace(gate, metrics, priority))
            : ServeAnswer(context);
    }

    private async Task ServeAnswer(HttpContext context)
    {
        var started = time.GetTimestamp();
        try
        {
            await next(context);
        }
        finally
        {
            var inFlight = gate.InFlight;
            gate.Leave();

            // An answer whose client has gone says nothing about the host.
            if (HttpMethods.IsGet(context.Request.Method) && !context.RequestAborted.IsCancellationRequested)
            {
                var now = time.GetTimestamp();
                limit.Sample(time.GetElapsedTime(started, now).Ticks, inFlight, time.GetElapsedTime(0, now).Ticks);
            }
        }
    }

    private async Task ServeLong(HttpContext context, bool mayStream, AdmissionPlace place)
    {
        BffRequest.Of(context).Place = place;
        if (mayStream)
        {
            context.Response.OnStarting(static state => Started((HttpContext)state), context);
        }

        try
        {
            await next(context);
        }
        finally
        {
            place.Leave();
        }
    }

    /// <summary>
    /// By the endpoint's word, or because the client asks for what only a stream can answer (a pass-through route says nothing).
    /// </summary>
    private static bool MayStream(HttpContext context) =>
        context.GetEndpoint()?.Metadata is { } endpoint
            && (endpoint.GetMetadata<LongLived>() is not null || endpoint.GetMetadata<GrpcRoute>() is not null)
        || context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
        || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true }
        || context.Request.Headers.Accept is [{ } accept] && accept.Contains("text/event-stream", StringComparison.OrdinalIgnoreCase);

    /// <summary>6.</summary>
    private static Task Started(HttpContext context)
    {
        var response = context.Response;
        if (
            response.StatusCode == StatusCodes.Status101SwitchingProtocols
            || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true }
            || response.ContentType is { } type
                && (
                    type.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase)
                    || type.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
                )
        )
        {
            BffRequest.Of(context).Place?.Leave();
        }

        return Task.CompletedTask;
    }
}
