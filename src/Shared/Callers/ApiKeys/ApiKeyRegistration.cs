using Bff.Callers.Life;
using Bff.Configuration;
using Bff.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Bff.Callers.ApiKeys;

/// <summary>Registers the credential.</summary>
public static class ApiKeyRegistration
{
    /// <summary>Accepts API keys; call it before other credentials that come in <c>Authorization</c>.</summary>
    /// <param name="builder">The host.</param>
    /// <param name="scopes">Every scope that a key may have; keys of the configuration have them all.</param>
    public static WebApplicationBuilder AddApiKeys(this WebApplicationBuilder builder, params IReadOnlyCollection<string> scopes)
    {
        var isProduction = builder.Environment.IsProduction();
        var services = builder.Services;
        services.AddReloadable(
            ["ApiKeys"],
            (configuration, mistakes) => ApiKeySettings.Parse(configuration, mistakes, isProduction, scopes)
        );
        services.AddStore<IApiKeyStore, RedisApiKeyStore, EmbeddedApiKeyStore>(builder.Configuration);
        services.AddSingleton<ApiKeyUses>();
        services.AddHostedService(provider => provider.GetRequiredService<ApiKeyUses>());
        services.AddSingleton<ApiKeyVerifier>();
        services.AddSingleton(provider => new ApiKeyRegistry(
            provider.GetRequiredService<IApiKeyStore>(),
            provider.GetRequiredService<Reloadable<ApiKeySettings>>(),
            provider.GetRequiredService<TimeProvider>()
        ));
        services.AddSingleton<ICallerSource, ApiKeySource>();
        services.AddSingleton<ICredentialLife, ApiKeyLife>();
        return builder;
    }
}
