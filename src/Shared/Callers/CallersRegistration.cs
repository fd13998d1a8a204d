using Bff.Configuration;
using Bff.Observability;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Callers;

/// <summary>Registers the stage.</summary>
public static class CallersRegistration
{
    /// <summary>Who is calling: one <see cref="Caller"/> from whichever credentials the host accepts.</summary>
    internal static WebApplicationBuilder AddCallers(this WebApplicationBuilder builder)
    {
        return builder;
    }

    /// <summary>Accepts bearer access tokens (RFC 6750) as <c>Authentication:Schemes:Bearer</c> says.</summary>
    public static WebApplicationBuilder AddBearerTokens(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddReloadable(["Authentication"], BearerSettings.Parse);
        services.AddHttpClient(AuthorityDocuments.ClientName, client => client.MaxResponseContentBufferSize = 1 << 20)
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, ConnectTimeout = TimeSpan.FromSeconds(2) })
            .RemoveAllLoggers();
        services.AddSingleton<SigningKeys>();
        services.AddSingleton<IReadinessCheck>(provider => provider.GetRequiredService<SigningKeys>());
        services.AddHostedService(provider => provider.GetRequiredService<SigningKeys>());
        services.AddSingleton<JwtVerifier>();
        services.AddSingleton<ICallerSource, BearerTokens>();
        return builder;
    }
}
