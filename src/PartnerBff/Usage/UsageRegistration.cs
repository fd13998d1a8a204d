using Bff.State;

namespace PartnerBff.Usage;

internal static class UsageRegistration
{
    public static WebApplicationBuilder AddUsage(this WebApplicationBuilder builder)
    {
        builder.Services.AddStore<IUsageStore, RedisUsageStore, EmbeddedUsageStore>(builder.Configuration);
        builder.Services.AddSingleton<UsageRecorder>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<UsageRecorder>());
        return builder;
    }
}
