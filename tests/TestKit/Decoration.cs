using Microsoft.Extensions.DependencyInjection;

namespace Bff.TestKit;

/// <summary>Puts something of the test around a singleton of the host.</summary>
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
