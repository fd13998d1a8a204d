using Bff.State;
using PartnerBff.Requests;

namespace PartnerBff.Usage;

internal static class UsageRegistration
{
    public static WebApplicationBuilder AddUsage(this WebApplicationBuilder builder)
    {
        builder.Services.AddStore<IUsageStore, RedisUsageStore, EmbeddedUsageStore>(builder.Configuration);
        builder.Services.AddSingleton<UsageRecorder>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<UsageRecorder>());
        builder.Services.AddStore<IRequestLogStore, RedisRequestLogStore, EmbeddedRequestLogStore>(builder.Configuration);
        builder.Services.AddSingleton<RequestLog>();
        builder.Services.AddHostedService(provider => provider.GetRequiredService<RequestLog>());
        return builder;
    }
}
