using System.Text.Json.Serialization;
using Bff.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Life;

/// <summary>
/// Maps the health probes. Their routes are exact, need no caller and are never shed. They are left out of request metrics, because a
/// balancer's probes would hide the answers that clients get.
/// </summary>
internal static class HealthEndpoints
{
    /// <summary>
    /// Maps <c>/health/live</c>, which says whether the process answers, and <c>/health/ready</c> and <c>/health</c>, which say whether the
    /// host accepts traffic (200 or 503).
    /// </summary>
    public static void MapHealth(this IEndpointRouteBuilder endpoints)
    {
        Map(endpoints, "/health/live", static _ => true);
        Map(endpoints, "/health/ready", static life => life.IsReady);
        Map(endpoints, "/health", static life => life.IsReady);
    }

    private static void Map(IEndpointRouteBuilder endpoints, string path, Func<HostLife, bool> isHealthy)
    {
        var life = endpoints.ServiceProvider.GetRequiredService<HostLife>();
        var time = endpoints.ServiceProvider.GetRequiredService<TimeProvider>();
        endpoints
            .MapGet(
                path,
                (RequestDelegate)(
                    context =>
                    {
                        var healthy = isHealthy(life);
                        context.Response.StatusCode = healthy ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
                        context.Response.Headers.CacheControl = "no-store";
                        return context.Response.WriteAsJsonAsync(
                            new Health(healthy ? "healthy" : "unhealthy", time.GetUtcNow()),
                            HealthJson.Default.Health,
                            cancellationToken: context.RequestAborted
                        );
                    }
                )
            )
            .AllowAnonymous()
            .WithoutLimits()
            .NeverShed()
            .DisableHttpMetrics()
            .ExcludeFromDescription();
    }
}

/// <summary>Answer of a probe.</summary>
/// <param name="Status"><c>healthy</c> or <c>unhealthy</c>.</param>
/// <param name="Timestamp">Time of the answer.</param>
internal sealed record Health(string Status, DateTimeOffset Timestamp);

[JsonSerializable(typeof(Health))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(UtcTimestamp)])]
internal sealed partial class HealthJson : JsonSerializerContext;
