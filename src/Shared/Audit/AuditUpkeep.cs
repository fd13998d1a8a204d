using Bff.Concurrency;
using Bff.State;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bff.Audit;

/// <summary>Moves the entries of instances that died or lost Redis before they moved them.</summary>
internal sealed class AuditUpkeep(AuditOutbox outbox, RedisState redis, TimeProvider time, ILogger<AuditUpkeep> logger) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(10);
    private readonly BackgroundLoop _loop = new("audit", logger);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        redis.IsConfigured
            ? _loop.Every(Every, time, cancellation => outbox.SettleOthers(Every, cancellation), stoppingToken)
            : Task.CompletedTask;
}
