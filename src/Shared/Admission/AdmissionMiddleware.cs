using System.Runtime.CompilerServices;
using Bff.Requests;
using Bff.Tenancy;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Admission;

/// <summary>
/// Stage 4. Limits concurrent requests to as many as the host serves well. 1. Endpoints that are never shed pass without a slot. 2. A
/// tenant at its own ceiling is refused. 3. A request takes a free slot. 4. Without a free slot it waits, and higher priorities go first.
/// 5. It is refused with 503 <c>overloaded</c> when the queue is full or no slot becomes free within a second. 6. A stream returns its slot
/// once it starts. A request has no slot while its body is awaited.
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
                return false; // The client has disconnected.
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

            // A response whose client has disconnected says nothing about the host.
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
    /// Whether the response may be a stream: because the endpoint says so, or because the client asks for something that only a stream can
    /// answer. A pass-through route does not say.
    /// </summary>
    private static bool MayStream(HttpContext context) =>
        context.GetEndpoint()?.Metadata is { } endpoint
            && (endpoint.GetMetadata<LongLived>() is not null || endpoint.GetMetadata<GrpcRoute>() is not null)
        || context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
        || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true }
        || context.Request.Headers.Accept is [{ } accept] && accept.Contains("text/event-stream", StringComparison.OrdinalIgnoreCase);

    /// <summary>6. Returns the slot once a stream starts.</summary>
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
