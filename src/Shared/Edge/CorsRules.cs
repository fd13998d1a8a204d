using Bff.Configuration;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Bff.Edge;

/// <summary>
/// Decides which other origins may read responses (CORS protocol of the Fetch standard): those in <c>Cors:Origins</c>, with the caller's
/// credentials. It never allows all.
/// </summary>
internal sealed class CorsRules(Reloadable<EdgeSettings> settings) : ICorsPolicyProvider
{
    private static readonly string[] CorsMethods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

    private static readonly string[] CorsRequestHeaders =
    [
        "Accept",
        "Accept-Language",
        "Authorization",
        "Content-Type",
        "Idempotency-Key",
        "If-Match",
        "If-Modified-Since",
        "If-None-Match",
        "If-Range",
        "If-Unmodified-Since",
        "Last-Event-ID",
        "Mcp-Protocol-Version",
        "Prefer",
        "Range",
        "Save-Data",
        "X-API-Key",
        "X-Correlation-Id",
        "X-CSRF",
        "X-Request-Id",
        "baggage",
        "grpc-timeout",
        "traceparent",
        "tracestate",
        "x-grpc-web",
        "x-user-agent",
    ];

    private static readonly string[] CorsResponseHeaders =
    [
        "Accept-Ranges",
        "Allow",
        "Content-Disposition",
        "Content-Location",
        "Content-Range",
        "Deprecation",
        "ETag",
        "Idempotent-Replayed",
        "Link",
        "Location",
        "Preference-Applied",
        "RateLimit",
        "RateLimit-Policy",
        "Retry-After",
        "Server-Timing",
        "Sunset",
        "X-Correlation-Id",
        "X-RateLimit-Limit",
        "X-RateLimit-Remaining",
        "X-RateLimit-Reset",
        "X-Request-Id",
        "grpc-encoding",
        "grpc-message",
        "grpc-status",
        "grpc-status-details-bin",
    ];

    public Task<CorsPolicy?> GetPolicyAsync(HttpContext context, string? policyName) => Task.FromResult(settings.Current.Cors);

    /// <summary>Creates the policy.</summary>
    /// <param name="origins">Origins whose pages may read answers.</param>
    /// <param name="forwarded">Request headers that the settings forward to services. Pages may send them.</param>
    /// <param name="returned">Response headers that the settings return to clients. Pages may read them.</param>
    public static CorsPolicy For(IReadOnlyList<string> origins, IEnumerable<string> forwarded, IEnumerable<string> returned) =>
        new CorsPolicyBuilder([.. origins])
            .AllowCredentials()
            .WithMethods(CorsMethods)
            .WithHeaders([.. CorsRequestHeaders.Union(forwarded, StringComparer.OrdinalIgnoreCase)])
            .WithExposedHeaders([.. CorsResponseHeaders.Union(returned, StringComparer.OrdinalIgnoreCase)])
            .SetPreflightMaxAge(TimeSpan.FromHours(1))
            .Build();
}

/// <summary>
/// Runs the framework's CORS with <see cref="CorsRules"/> passed in. The framework would resolve the rules for each request, which costs a
/// service scope each time.
/// </summary>
internal sealed class CorsRulesMiddleware(RequestDelegate next, ICorsService service, ICorsPolicyProvider rules, ILoggerFactory logging)
{
    private readonly CorsMiddleware _cors = new(next, service, logging);

    public Task InvokeAsync(HttpContext context) => _cors.Invoke(context, rules);
}
