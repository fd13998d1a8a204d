using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace WebBff.Tests;

internal static class Services
{
    public static void Replace(this IServiceCollection services, TimeProvider clock) =>
        services.Replace(ServiceDescriptor.Singleton(clock));
}
