using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.TestKit;

/// <summary>Listens to the meters of one host; other hosts in the process have instruments with the same names.</summary>
public static class HostMeters
{
    /// <summary>Returns a listener that is not started yet: set a callback first.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="instrument">Name of the instrument, such as <c>bff.cache.requests</c>.</param>
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
