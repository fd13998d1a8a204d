using Bff.Configuration;
using Bff.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Events;

/// <summary>Registers the events stage.</summary>
internal static class EventsRegistration
{
    /// <summary>Registers the event log that feeds server-sent events and webhooks.</summary>
    public static WebApplicationBuilder AddEvents(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings<EventsOptions>();
        services.AddStore<IEventLog, RedisEventLog, EmbeddedEventLog>(builder.Configuration);
        services.AddStore<IEventQueue, RedisEventQueue, EmbeddedEventQueue>(builder.Configuration);
        services.AddSingleton<EventMetrics>();
        services.AddSingleton<EventTail>();
        services.AddSingleton(provider => new UserEvents(
            provider.GetRequiredService<IEventLog>(),
            provider.GetRequiredService<EventTail>(),
            provider.GetRequiredService<TimeProvider>()
        ));
        return builder;
    }
}
