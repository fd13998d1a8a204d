using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Events;

/// <summary>Registers the stage.</summary>
internal static class EventsRegistration
{
    /// <summary>The event log that feeds server-sent events and webhooks.</summary>
    public static WebApplicationBuilder AddEvents(this WebApplicationBuilder builder)
    {
        return builder;
    }
}
