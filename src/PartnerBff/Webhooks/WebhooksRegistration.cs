using System.Net;
using Bff.Configuration;
using Bff.State;
using PartnerBff.Webhooks.Addresses;
using PartnerBff.Webhooks.Delivery;
using PartnerBff.Webhooks.Stores;

namespace PartnerBff.Webhooks;

/// <summary>Registers webhooks.</summary>
internal static class WebhooksRegistration
{
    public static WebApplicationBuilder AddWebhooks(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings<WebhookOptions>();
        services.AddOptions<WebhookOptions>().Validate(o => o.Gaps.Length <= 20, "Webhooks:Schedule: give at most 20 time spans.");
        services.AddStore<IWebhookStore, RedisWebhookStore, EmbeddedWebhookStore>(builder.Configuration);
        services.AddSingleton<ResolveHost>(static (host, cancellation) => Dns.GetHostAddressesAsync(host, cancellation));
        services.AddSingleton<GuardedConnections>();
        services.AddSingleton<WebhookUrl>();
        services.AddSingleton<WebhookSecrets>();
        services.AddSingleton<WebhookMetrics>();
        services.AddSingleton<WebhookSender>();
        services.AddSingleton<WebhookWorker>();
        services.AddSingleton<WebhookUpkeep>();
        services.AddSingleton<WebhookDispatcher>();
        services.AddHostedService(static provider => provider.GetRequiredService<WebhookWorker>());
        services.AddHostedService(static provider => provider.GetRequiredService<WebhookDispatcher>());
        return builder;
    }
}
