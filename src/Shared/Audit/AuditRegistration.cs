using Bff.Configuration;
using Bff.State;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Audit;

/// <summary>Registers the audit log.</summary>
internal static class AuditRegistration
{
    public static WebApplicationBuilder AddAudit(this WebApplicationBuilder builder)
    {
        builder.Services.AddSettings<AuditOptions>();
        builder.Services.AddSingleton<AuditOutbox>();
        builder.Services.AddStore<IAuditLog, RedisAuditLog, EmbeddedAuditLog>(builder.Configuration);
        builder.Services.AddHostedService<AuditUpkeep>();
        return builder;
    }
}
