using Microsoft.Extensions.DependencyInjection;

namespace Bff.TestKit;

/// <summary>Wraps a singleton of the host with an object of the test.</summary>
public static class Decoration
{
    public static IServiceCollection Decorate<T>(this IServiceCollection services, Func<T, T> around)
        where T : class
    {
        var inner = services.Last(service => service.ServiceType == typeof(T) && !service.IsKeyedService);
        return services.AddSingleton(provider =>
            around(
                (T)(
                    inner.ImplementationInstance
                    ?? inner.ImplementationFactory?.Invoke(provider)
                    ?? ActivatorUtilities.CreateInstance(provider, inner.ImplementationType!)
                )
            )
        );
    }
}
