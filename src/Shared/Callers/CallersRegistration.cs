using Bff.Callers.Bearer;
using Bff.Callers.Clients;
using Bff.Callers.Identity;
using Bff.Callers.Keys;
using Bff.Callers.Life;
using Bff.Callers.Providers;
using Bff.Callers.Revoked;
using Bff.Configuration;
using Bff.Life;
using Bff.Requests;
using Bff.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bff.Callers;

/// <summary>Registers the authentication of callers.</summary>
public static class CallersRegistration
{
    /// <summary>Adds what turns each accepted credential into one <see cref="Caller"/>.</summary>
    internal static WebApplicationBuilder AddCallers(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSingleton<EndpointGuard>();
        services.AddHostedService(provider => provider.GetRequiredService<EndpointGuard>());
        services.AddReloadable(["Authentication:Revocation"], RevocationSettings.Parse);
        services.AddStore<IRevocationStore, RedisRevocationStore, EmbeddedRevocationStore>(builder.Configuration);
        services.AddSingleton(provider => new Revocations(
            provider.GetRequiredService<IRevocationStore>(),
            provider.GetRequiredService<Reloadable<RevocationSettings>>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<Revocations>>()
        ));
        services.AddBackgroundCheck<Revocations>();
        services.AddSingleton<CallerMetrics>();
        services.AddSingleton<CallerLives>();
        services.AddHostedService(provider => provider.GetRequiredService<CallerLives>());
        services.AddSettings<IdentityOptions>();
        if (new ConfigurationMistakes().Read<IdentityOptions>(builder.Configuration).SignedAssertion)
        {
            services.AddSingleton<IdentityAssertions>();
            services.AddBackgroundCheck<IdentityAssertions>();
        }

        return builder;
    }

    /// <summary>
    /// Accepts bearer access tokens (RFC 6750) as configured in <c>Authentication:Schemes:Bearer</c> and <c>Authentication:Providers</c>.
    /// </summary>
    public static WebApplicationBuilder AddBearerTokens(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddReloadable(["Authentication"], BearerSettings.Parse);
        services.AddAuthorizationServerClient(AuthorityDocuments.ClientName, Timeout.InfiniteTimeSpan); // Each request sets its own.
        services.AddSingleton<TokenProviders>();
        services.AddBackgroundCheck<TokenProviders>();
        services
            .AddOptions<KestrelServerOptions>()
            .PostConfigure<IConfiguration>(
                (server, configuration) =>
                    MakeRoom(server.Limits, BearerSettings.Parse(configuration, new ConfigurationMistakes()).MaxTokenBytes)
            ); // Mistakes are reported later, together with all others.
        services.AddSingleton<JwtVerifier>();
        services.AddSingleton<Introspector>();
        services.AddSingleton<BearerTokens>();
        services.AddSingleton<ICallerSource>(provider => provider.GetRequiredService<BearerTokens>());
        services.AddSingleton<ICredentialLife, TokenLife>();
        return builder;
    }

    /// <summary>Raises the server's header limits so that the largest accepted token fits beside the other headers.</summary>
    private static void MakeRoom(KestrelServerLimits limits, int tokenBytes)
    {
        const int Usual = 8 * 1024,
            Others = 24 * 1024,
            Scheme = 1024;
        if (tokenBytes <= Usual)
        {
            return; // The server's own or configured limits are enough.
        }

        limits.MaxRequestHeadersTotalSize = Math.Max(limits.MaxRequestHeadersTotalSize, tokenBytes + Others);
        limits.Http2.MaxRequestHeaderFieldSize = Math.Max(limits.Http2.MaxRequestHeaderFieldSize, tokenBytes + Scheme);
        limits.Http3.MaxRequestHeaderFieldSize = Math.Max(limits.Http3.MaxRequestHeaderFieldSize, tokenBytes + Scheme);
    }

    private static void AddBackgroundCheck<T>(this IServiceCollection services)
        where T : class, IHostedService, IReadinessCheck
    {
        services.AddSingleton<IReadinessCheck>(provider => provider.GetRequiredService<T>());
        services.AddHostedService(provider => provider.GetRequiredService<T>());
    }
}
