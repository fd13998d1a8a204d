using Bff.Callers.Life;
using Bff.Configuration;
using Bff.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Bff.Callers.ApiKeys;

/// <summary>Registers API keys as a credential.</summary>
public static class ApiKeyRegistration
{
    /// <summary>Accepts API keys. Call it before other credentials that use the <c>Authorization</c> header.</summary>
    /// <param name="builder">The host.</param>
    /// <param name="scopes">All scopes that a key may have. Keys from configuration have all of them.</param>
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
