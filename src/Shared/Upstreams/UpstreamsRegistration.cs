using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using Bff.Configuration;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Upstreams;

/// <summary>Registers the stage.</summary>
public static class UpstreamsRegistration
{
    /// <summary>Typed clients and YARP share one registry of upstreams.</summary>
    internal static WebApplicationBuilder AddUpstreams(this WebApplicationBuilder builder)
    {
        var required = new RequiredUpstreams();
        builder.Services.AddSingleton(required);
        builder.Services.AddReloadable(["Upstreams", "Sandbox:Upstreams", "Tenants"], (configuration, mistakes) =>
        {
            var parsed = UpstreamRegistry.Parse(configuration, mistakes);
            required.Check(parsed.Live, mistakes);
            return parsed;
        });
        builder.Services.AddSingleton(provider =>
        {
            var configured = provider.GetRequiredService<Reloadable<UpstreamRegistry.Parsed>>();
            var registry = new UpstreamRegistry(provider.GetRequiredService<TimeProvider>());
            registry.Apply(configured.Current);
            configured.OnChange(registry.Apply);
            registry.Measure(provider.GetRequiredService<IMeterFactory>());
            return registry;
        });
        builder.Services.AddSingleton<UpstreamSender>();
        return builder;
    }

    /// <summary>Registers a typed client: a list of calls. Resilience, identity headers and telemetry arrive with the <see cref="UpstreamClient"/> it is made with.</summary>
    /// <param name="builder">The host.</param>
    /// <param name="name">The upstream's name under <c>Upstreams</c>; required in configuration.</param>
    public static WebApplicationBuilder AddUpstreamClient<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TClient>(
        this WebApplicationBuilder builder, string name) where TClient : class
    {
        builder.Services.Select(s => s.ImplementationInstance).OfType<RequiredUpstreams>().Single().Add(name);
        builder.Services.AddSingleton(provider => ActivatorUtilities.CreateInstance<TClient>(
            provider, new UpstreamClient(name, provider.GetRequiredService<UpstreamSender>())));
        return builder;
    }
}

/// <summary>Upstreams that the host's typed clients need in configuration.</summary>
internal sealed class RequiredUpstreams
{
    private readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase);

    public void Add(string name) => _names.Add(name);

    public void Check(IReadOnlyDictionary<string, UpstreamOptions> upstreams, ConfigurationMistakes mistakes)
    {
        foreach (var name in _names.Where(n => !upstreams.ContainsKey(n)))
        {
            mistakes.Add($"Upstreams:{name}:Address", "is missing: this host calls the service. Give its base address.");
        }
    }
}
