using Bff.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Idempotency;

/// <summary>Registers the guard and puts it on endpoints.</summary>
public static class IdempotencyRegistration
{
    /// <summary>Keyed writes are served once among all instances.</summary>
    /// <param name="builder">The host.</param>
    /// <param name="scope">Among whose requests a key is unique.</param>
    /// <param name="retention">How long a key is remembered; null: 24 hours.</param>
    public static WebApplicationBuilder AddIdempotency(
        this WebApplicationBuilder builder,
        IdempotencyScope scope,
        TimeSpan? retention = null
    )
    {
        builder
            .Services.AddOptions<IdempotencyOptions>()
            .Configure(options => (options.Scope, options.Retention) = (scope, retention ?? options.Retention));
        builder.Services.AddStore<IIdempotencyStore, RedisIdempotencyStore, EmbeddedIdempotencyStore>(builder.Configuration);
        builder.Services.AddSingleton<Idempotent>();
        return builder;
    }

    /// <summary>The endpoint (or pass-through route) refuses requests without an <c>Idempotency-Key</c> and serves each key once.</summary>
    public static TBuilder RequireIdempotencyKey<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => Guard(builder, isRequired: true);

    /// <summary>The endpoint (or pass-through route) serves each key once, and requests without one as they come.</summary>
    public static TBuilder AcceptIdempotencyKey<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => Guard(builder, isRequired: false);

    private static TBuilder Guard<TBuilder>(TBuilder builder, bool isRequired)
        where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint =>
        {
            var serve = endpoint.RequestDelegate!;
            endpoint.RequestDelegate = context => context.RequestServices.GetRequiredService<Idempotent>().Run(context, isRequired, serve);
        });
        return builder;
    }
}
