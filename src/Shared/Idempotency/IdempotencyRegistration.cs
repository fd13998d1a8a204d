using Bff.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Idempotency;

/// <summary>Registers the guard and applies it to endpoints.</summary>
public static class IdempotencyRegistration
{
    /// <summary>Registers the guard that serves keyed writes once among all instances.</summary>
    /// <param name="builder">The host.</param>
    /// <param name="scope">The group of requests among which a key is unique.</param>
    /// <param name="retention">How long a key is remembered. Null: 24 hours.</param>
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

    /// <summary>
    /// Makes the endpoint (or pass-through route) refuse requests without an <c>Idempotency-Key</c> and serve each key once.
    /// </summary>
    public static TBuilder RequireIdempotencyKey<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => Guard(builder, isRequired: true);

    /// <summary>Makes the endpoint (or pass-through route) serve each key once. Requests without a key are served as usual.</summary>
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
