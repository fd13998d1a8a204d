using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using Bff.Callers.Clients;
using Bff.Configuration;
using Bff.Tenancy;
using Bff.Upstreams.Discovery;
using Bff.Upstreams.Tokens;
using Grpc.Net.ClientFactory;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.ServiceDiscovery;
using Refit;

namespace Bff.Upstreams;

/// <summary>Registers upstreams and typed clients.</summary>
public static class UpstreamsRegistration
{
    /// <summary>Adds the registry of upstreams that typed clients and YARP share.</summary>
    internal static WebApplicationBuilder AddUpstreams(this WebApplicationBuilder builder)
    {
        var required = new RequiredUpstreams();
        builder.Services.AddSingleton(required);
        builder.Services.AddReloadable(
            ["Upstreams", "Sandbox:Upstreams", "Headers"],
            (configuration, mistakes) =>
            {
                var parsed = UpstreamRegistry.Parse(configuration, mistakes);
                required.Check(parsed.Live, mistakes);
                var told = ClientHeaders.Parse(configuration);
                CheckVaryBy("Upstreams", parsed.Live, told, mistakes);
                CheckVaryBy("Sandbox:Upstreams", parsed.Sandbox, told, mistakes);
                required.CheckTokens("Upstreams", parsed.Live, mistakes);
                required.CheckTokens("Sandbox:Upstreams", parsed.Sandbox, mistakes);
                return parsed;
            }
        );
        builder.Services.AddSingleton(provider =>
        {
            var configured = provider.GetRequiredService<Reloadable<UpstreamRegistry.Parsed>>();
            var registry = new UpstreamRegistry(
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<UpstreamLog>>(),
                provider.GetRequiredService<ServiceNames>()
            );
            registry.Apply(configured.Current);
            configured.OnChange(registry.Apply);
            if (provider.GetService<ITenants>() is { } tenants)
            {
                tenants.Changed += changed =>
                    registry.DropDedicated(
                        (tenant, upstream, address) => changed is null ? Has(tenants, tenant, upstream, address) : tenant != changed
                    );
            }

            registry.Measure(provider.GetRequiredService<IMeterFactory>());
            return registry;
        });
        builder.Services.AddServiceDiscoveryCore().AddConfigurationServiceEndpointProvider();
        builder.Services.TryAddSingleton<ResolveAddresses>(static _ => ServiceNames.AddressesOf);
        builder.Services.TryAddSingleton<ResolveServices>(static _ => ServiceNames.ServicesOf);
        builder.Services.AddSingleton(provider => new ServiceNames(
            new(provider.GetRequiredService<ServiceEndpointResolver>),
            provider.GetRequiredService<ResolveAddresses>(),
            provider.GetRequiredService<ResolveServices>()
        ));
        builder.Services.AddReloadable(["Clients"], ClientRegistrations.Parse);
        builder.Services.AddAuthorizationServerClient(TokenEndpoint.HttpName, Timeout.InfiniteTimeSpan); // Registrations have their own.
        builder.Services.AddSingleton<TokenMetrics>();
        builder.Services.AddSingleton<ServiceTokens>();
        builder.Services.AddReloadable(["Headers"], (configuration, _) => ClientHeaders.Parse(configuration));
        builder.Services.TryAddSingleton<ReadGenerations>();
        builder.Services.AddSingleton<UpstreamSender>();
        builder.Services.AddSingleton(static provider => new SharedReads(provider.GetRequiredService<UpstreamSender>()));
        return builder;
    }

    private static bool Has(ITenants tenants, string tenant, string upstream, Uri address) =>
        tenants.Recall(tenant)?.DedicatedUpstreams.GetValueOrDefault(upstream) == address;

    /// <summary>Checks that a service gets each header by which its answers are said to vary.</summary>
    private static void CheckVaryBy(
        string section,
        IReadOnlyDictionary<string, UpstreamOptions> upstreams,
        ClientHeaders told,
        ConfigurationMistakes mistakes
    )
    {
        foreach (var options in upstreams.Values)
        {
            for (var i = 0; i < options.VaryBy.Count; i++)
            {
                if (!told.Contains(options.VaryBy[i]))
                {
                    mistakes.Add(
                        $"{section}:{options.Name}:VaryBy:{i}",
                        $"'{options.VaryBy[i]}' is not forwarded to the services of a composition. Use "
                            + "Accept-Language, or add the header to Headers:Forward."
                    );
                }
            }
        }
    }

    /// <summary>
    /// Registers a typed client: a Refit interface whose methods return an <see cref="UpstreamCall{T}"/>. Resilience, identity headers and
    /// telemetry are added when the call is made.
    /// </summary>
    /// <typeparam name="TClient">The interface; Refit's generator implements it in the host's assembly.</typeparam>
    /// <param name="builder">The host.</param>
    /// <param name="name">The upstream's name under <c>Upstreams</c>; required in configuration.</param>
    /// <param name="isShared">
    /// True if any of its answers is cached for others than its caller: a part with tenant or public scope, or an image. Such a part may
    /// call no other service, and a configuration that sends callers' tokens to this one stops the host.
    /// </param>
    /// <exception cref="InvalidOperationException">A method that reads returns an <see cref="UpstreamWrite{T}"/>, or one that writes an
    /// <see cref="UpstreamCall{T}"/>.</exception>
    public static WebApplicationBuilder AddUpstream<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicMethods)] TClient>(
        this WebApplicationBuilder builder,
        string name,
        bool isShared = false
    )
        where TClient : class
    {
        if (DeclaredMethods.HaveKeyedWrite(typeof(TClient).GetMethods()))
        {
            builder.RequiredUpstreams().AddKeyedWrites(name);
        }

        builder.RequiredUpstreams().Add(name, isShared);
        builder.Services.AddSingleton(provider =>
            Generated<TClient>(new UpstreamClient(name, provider.GetRequiredService<UpstreamSender>(), isShared))
        );
        return builder;
    }

    /// <summary>
    /// Registers a client over gRPC: a class whose constructor takes the <see cref="GrpcClient{TClient}"/> of a generated client.
    /// </summary>
    /// <typeparam name="TClient">The class that endpoints use.</typeparam>
    /// <typeparam name="TGenerated">The client that <c>Grpc.Tools</c> generates from the service's contract.</typeparam>
    /// <param name="builder">The host.</param>
    /// <param name="name">As for <see cref="AddUpstream"/>.</param>
    /// <param name="isShared">As for <see cref="AddUpstream"/>.</param>
    public static WebApplicationBuilder AddGrpcUpstream<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TClient,
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TGenerated
    >(this WebApplicationBuilder builder, string name, bool isShared = false)
        where TClient : class
        where TGenerated : class
    {
        builder.Services.TryAddSingleton<GrpcUse>();
        builder
            .Services.AddGrpcClient<TGenerated>(
                name,
                options =>
                {
                    options.Address = RequestTaker.Root;
                    options.ChannelOptionsActions.Add(GrpcSender.Set);
                }
            )
            .ConfigurePrimaryHttpMessageHandler(provider => new GrpcSender(
                new UpstreamClient(name, provider.GetRequiredService<UpstreamSender>(), isShared)
            ))
            .SetHandlerLifetime(Timeout.InfiniteTimeSpan) // The upstream's connections have a lifetime of their own.
            .RemoveAllLoggers();
        builder.RequiredUpstreams().Add(name, isShared);
        builder.Services.AddSingleton(provider =>
            ActivatorUtilities.CreateInstance<TClient>(
                provider,
                new GrpcClient<TGenerated>(
                    provider.GetRequiredService<GrpcClientFactory>().CreateClient<TGenerated>(name),
                    provider.GetRequiredService<TimeProvider>()
                )
            )
        );
        return builder;
    }

    /// <summary>
    /// Creates a generated client. Its <see cref="HttpClient"/> has no timeout: calls have their own, and one here would cost each call two
    /// objects.
    /// </summary>
    internal static TClient Generated<TClient>(UpstreamClient upstream) =>
        RestService.ForGenerated<TClient>(
            new HttpClient(new RequestTaker(upstream)) { BaseAddress = RequestTaker.Root, Timeout = Timeout.InfiniteTimeSpan },
            new RefitSettings(new BodyTaker())
            {
                UrlResolution = UrlResolutionMode.Rfc3986,
                RequestBodySerialization = RequestBodySerializationMode.Buffered,
            }
        );

    private static RequiredUpstreams RequiredUpstreams(this WebApplicationBuilder builder) =>
        builder.Services.Select(s => s.ImplementationInstance).OfType<RequiredUpstreams>().Single();
}

/// <summary>Present if the host has a gRPC client, so that only such hosts load and warm up gRPC.</summary>
internal sealed class GrpcUse;

/// <summary>Upstreams that the host's typed clients require in configuration.</summary>
internal sealed class RequiredUpstreams
{
    private readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _shared = new(StringComparer.OrdinalIgnoreCase);
    private readonly SortedSet<string> _keyedWrites = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Upstreams whose clients write with an idempotency key, so that the write may be repeated.</summary>
    public IReadOnlyCollection<string> KeyedWrites => _keyedWrites;

    public void Add(string name, bool isShared)
    {
        _names.Add(name);
        if (isShared)
        {
            _shared.Add(name);
        }
    }

    public void AddKeyedWrites(string name) => _keyedWrites.Add(name);

    public void Check(IReadOnlyDictionary<string, UpstreamOptions> upstreams, ConfigurationMistakes mistakes)
    {
        foreach (var name in _names.Where(n => !upstreams.ContainsKey(n)))
        {
            mistakes.Add($"Upstreams:{name}:Address", "is missing, and this host calls the service. Set it to the service's base address.");
        }
    }

    /// <summary>
    /// Checks that no shared client gets callers' tokens, because an answer to one caller's token is for that caller alone.
    /// </summary>
    public void CheckTokens(string section, IReadOnlyDictionary<string, UpstreamOptions> upstreams, ConfigurationMistakes mistakes)
    {
        foreach (var name in _shared)
        {
            if (upstreams.GetValueOrDefault(name) is { Token.IsOfCaller: true } options)
            {
                mistakes.Add(
                    options.ForwardAuthorization ? $"{section}:{name}:ForwardAuthorization" : $"{section}:{name}:Token:Mode",
                    (options.ForwardAuthorization ? "must be false" : "must be None or Client")
                        + ": this host caches answers of the service for other callers, and they would be read "
                        + "with the token of one caller."
                );
            }
        }
    }
}
