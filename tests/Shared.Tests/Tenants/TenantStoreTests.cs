using System.Collections.Concurrent;
using Bff.Audit;
using Bff.Shared.Tests.State;
using Bff.Tenants;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Tenants;

/// <summary>Tests the tenant store on both engines.</summary>
[StoreSuite(typeof(ITenantStore))]
public sealed class TenantStoreTests
{
    private static readonly ChangedBy By = new("client:ops", "r-1", DateTimeOffset.UtcNow);

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task A_tenant_is_written_only_over_the_version_that_was_read(string engine)
    {
        await using var store = await Engine.Start(engine);
        var (free, pro) = (Json("free"), Json("pro"));

        Assert.Null(await store.Store.Find("acme", default));
        Assert.Equal(TenantWrite.Done, await store.Put("acme", null, free));
        Assert.Equal(TenantWrite.Stale, await store.Put("acme", null, pro));
        Assert.Equal(TenantWrite.Stale, await store.Put("acme", pro, pro));
        Assert.Equal(TenantWrite.Stale, await store.Put("globex", free, pro));
        Assert.Equal(free, await store.Store.Find("acme", default));
        Assert.Equal(TenantWrite.Done, await store.Put("acme", free, pro));
        Assert.Equal(pro, await store.Store.Find("acme", default));
        Assert.Equal(TenantWrite.Stale, await store.Put("acme", free, null));
        Assert.Equal(TenantWrite.Done, await store.Put("acme", pro, null));
        Assert.Null(await store.Store.Find("acme", default));
        Assert.Empty(await store.Store.List(null, 10, default));
        Assert.Equal(3, (await store.Audit.Read(new("acme"), null, 10, default)).Entries.Count); // Only completed changes are recorded.
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task A_domain_belongs_to_one_tenant_until_the_tenant_releases_it(string engine)
    {
        await using var store = await Engine.Start(engine);
        var (mine, none) = (Json("free", "API.example.org"), Json("free"));

        Assert.Equal((null, false), await store.Store.FindByDomain("api.example.org", default));
        Assert.Equal(TenantWrite.Done, await store.Put("acme", null, mine));
        Assert.Equal(("acme", true), await store.Store.FindByDomain("api.example.org", default));
        Assert.Equal(TenantWrite.DomainTaken, await store.Put("globex", null, Json("free", "api.EXAMPLE.org")));
        Assert.Null(await store.Store.Find("globex", default));
        Assert.Equal(TenantWrite.Done, await store.Put("acme", mine, none));
        Assert.Equal(TenantWrite.Done, await store.Put("globex", null, mine));
        Assert.Equal(("globex", true), await store.Store.FindByDomain("api.example.org", default));
        Assert.Equal(TenantWrite.Done, await store.Put("globex", mine, null));
        Assert.Equal((null, false), await store.Store.FindByDomain("api.example.org", default));
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task Tenants_are_listed_in_order_in_pages_and_every_change_is_announced(string engine)
    {
        await using var store = await Engine.Start(engine);
        foreach (var id in (string[])["b", "a", "B", "c"])
        {
            await store.Put(id, null, Json("free"));
        }

        Assert.Equal(["B", "a", "b"], (await store.Store.List(null, 3, default)).Select(t => t.Key));
        Assert.Equal(["c"], (await store.Store.List("b", 3, default)).Select(t => t.Key));
        await Eventually.True(() => store.Changed.Order(StringComparer.Ordinal).SequenceEqual(["B", "a", "b", "c"]));
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task A_plan_change_is_requested_withdrawn_and_approved_together_with_the_tenant(string engine)
    {
        await using var store = await Engine.Start(engine);
        var (asked, other) = (Asked("acme", "pro"), Asked("globex", "pro"));
        var (free, pro) = (Json("free"), Json("pro"));
        await store.Put("acme", null, free);

        Assert.Equal(TenantWrite.Done, await store.Plan("acme", null, asked));
        Assert.Equal(TenantWrite.Stale, await store.Plan("acme", null, asked));
        Assert.Equal(TenantWrite.Done, await store.Plan("globex", null, other));
        Assert.Equal([asked, other], await store.Store.ListPlanChanges(null, 10, default));
        Assert.Equal([other], await store.Store.ListPlanChanges("acme", 10, default));
        Assert.Equal(TenantWrite.Done, await store.Plan("globex", other, null));
        Assert.Null(await store.Store.FindPlanChange("globex", default));

        // Both are written only if both are as they were read.
        var approved = asked with
        {
            Status = PlanChangeStatus.Approved,
            DecidedAt = By.At,
        };
        Assert.Equal(
            TenantWrite.Stale,
            await store.Store.Write(new("acme", pro, pro, []) { Plan = new(asked, approved, IsChange: true) }, default)
        );
        Assert.Equal(
            TenantWrite.Stale,
            await store.Store.Write(new("acme", free, pro, []) { Plan = new(approved, approved, IsChange: true) }, default)
        );
        Assert.Equal(free, await store.Store.Find("acme", default));
        Assert.Equal(asked, await store.Store.FindPlanChange("acme", default));
        Assert.Empty(await store.Store.Untold(default));
        Assert.Equal(
            TenantWrite.Done,
            await store.Store.Write(new("acme", free, pro, []) { Plan = new(asked, approved, IsChange: true) }, default)
        );
        Assert.Equal(pro, await store.Store.Find("acme", default));
        Assert.Equal(approved, await store.Store.FindPlanChange("acme", default));
        Assert.Empty(await store.Store.ListPlanChanges(null, 10, default));
        Assert.Equal([approved], await store.Store.Untold(default));
        await store.Store.Told(approved, default);
        Assert.Empty(await store.Store.Untold(default));
    }

    private static PlanChange Asked(string tenant, string plan) => new("pc_" + tenant, tenant, "free", plan, By.At, "u-1");

    private static byte[] Json(string plan, string? domain = null) => new TenantDocument { Plan = plan, CustomDomain = domain }.Write();

    private sealed class Engine(RedisServer? server, ServiceProvider services) : IAsyncDisposable
    {
        public ConcurrentBag<string> Changed { get; } = [];

        public ITenantStore Store { get; private init; } = null!;

        public IAuditLog Audit => services.GetRequiredService<IAuditLog>();

        public static async Task<Engine> Start(string engine)
        {
            var server = engine == "redis" ? RedisServer.Run() : null;
            var services = StateEngines.Provider(server?.ConnectionString, more: builder => builder.AddAudit().AddTenants());
            var started = new Engine(server, services) { Store = services.GetRequiredService<ITenantStore>() };
            started.Store.Changed += id =>
            {
                if (id is not null)
                {
                    started.Changed.Add(id);
                }
            };
            await StateEngines.Connect(services);
            return started;
        }

        public Task<TenantWrite> Put(string id, byte[]? before, byte[]? after) =>
            Store.Write(new(id, before, after, [By.Entry("tenant.changed", id, id)]), default).AsTask();

        public Task<TenantWrite> Plan(string id, PlanChange? before, PlanChange? after) =>
            Store.Write(new(id, null, null, []) { Plan = new(before, after), IsOfPlanAlone = true }, default).AsTask();

        public async ValueTask DisposeAsync()
        {
            await services.DisposeAsync();
            server?.Dispose();
        }
    }
}
