using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.TestKit;

/// <summary>Listens to one host alone; the others of the process measure on instruments of the same name.</summary>
public static class HostMeters
{
    /// <summary>Not started yet: give it a callback first.</summary>
    /// <param name="services">The host's.</param>
    /// <param name="instrument">Its name, such as <c>bff.cache.requests</c>.</param>
    public static MeterListener Listen(this IServiceProvider services, string instrument)
    {
        var meters = services.GetRequiredService<IMeterFactory>();
        return new MeterListener
        {
            InstrumentPublished = (published, listener) =>
            {
                if (published.Name == instrument && ReferenceEquals(published.Meter.Scope, meters))
                {
                    listener.EnableMeasurementEvents(published);
                }
            },
        };
    }
}
