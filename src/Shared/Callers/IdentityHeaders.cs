using Bff.Edge;

namespace Bff.Callers;

/// <summary>What the gateway tells a service about the verified caller.</summary>
public static class IdentityHeaders
{
    /// <summary>Sets them on a request towards an upstream.</summary>
    public static void Apply(HttpRequestMessage message, BffRequest request)
    {
        message.Headers.TryAddWithoutValidation("X-Request-Id", request.RequestId);
        message.Headers.TryAddWithoutValidation("X-Correlation-Id", request.CorrelationId);
        var caller = request.Caller;
        if (!caller.IsAuthenticated)
        {
            return;
        }

        message.Headers.TryAddWithoutValidation("X-User-Id", caller.Subject);
        if (caller.Tenant is { } tenant)
        {
            message.Headers.TryAddWithoutValidation("X-Tenant-Id", tenant);
        }
    }
}
