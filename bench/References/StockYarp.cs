using Microsoft.AspNetCore.Authentication.JwtBearer;
using OpenTelemetry;
using OpenTelemetry.Trace;
using StackExchange.Redis;

namespace Bff.Bench.References;

/// <summary>
/// The same job from stock parts: YARP, JwtBearer with its defaults, a token bucket in Redis by one script per request, and tracing sampled
/// at 10 %. It has no access log, circuit breaker, retry, identity headers or admission.
/// </summary>
internal static class StockYarp
{
    private const string Bucket = """
        local now = redis.call('TIME')
        local micros = now[1] * 1000000 + now[2]
        local state = redis.call('HMGET', KEYS[1], 't', 'n')
        local burst, rate = tonumber(ARGV[1]), tonumber(ARGV[2])
        local tokens = math.min(burst, (tonumber(state[2]) or burst) + (micros - (tonumber(state[1]) or micros)) * rate / 60000000)
        if tokens < 1 then return -1 end
        redis.call('HSET', KEYS[1], 't', micros, 'n', tokens - 1)
        redis.call('PEXPIRE', KEYS[1], 120000)
        return math.floor(tokens - 1)
        """;

    public static WebApplication Build(WebApplicationBuilder builder, string upstream, string redis)
    {
        builder
            .Services.AddAuthentication()
            .AddJwtBearer(bearer =>
            {
                bearer.Authority = upstream;
                bearer.RequireHttpsMetadata = false;
                bearer.TokenValidationParameters.ValidAudience = "bff";
            });
        builder.Services.AddAuthorization();
        builder.Services.AddReverseProxy().LoadFromMemory(BareYarp.Routes("default"), BareYarp.Clusters(upstream));
        var traces = Sdk.CreateTracerProviderBuilder()
            .SetSampler(new ParentBasedSampler(new TraceIdRatioBasedSampler(0.1)))
            .AddSource("Microsoft.AspNetCore", "System.Net.Http")
            .AddOtlpExporter()
            .Build();
        builder.Services.AddSingleton(traces);

        var app = builder.Build();
        var database = ConnectionMultiplexer.Connect(redis).GetDatabase();
        app.UseAuthentication();
        app.UseAuthorization();
        app.Use(
            async (context, next) =>
            {
                var key = "stock:" + context.User.FindFirst(System.Security.Claims.ClaimTypes.NameIdentifier)?.Value;
                var left = (long)await database.ScriptEvaluateAsync(Bucket, [key], [10_000, 10_000_000]);
                if (left < 0)
                {
                    context.Response.StatusCode = 429;
                    return;
                }

                context.Response.Headers["X-RateLimit-Remaining"] = left.ToString(System.Globalization.CultureInfo.InvariantCulture);
                await next(context);
            }
        );
        app.MapReverseProxy();
        return app;
    }
}
