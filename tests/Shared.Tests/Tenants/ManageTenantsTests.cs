using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Bff.Audit;
using Bff.Configuration;
using Bff.RateLimiting;
using Bff.Shared.Tests.RateLimiting;
using Bff.State;
using Bff.Tenancy;
using Bff.Tenants;
using Bff.TestKit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Tenants;

/// <summary>Tests tenants that are added, changed and deleted while hosts run.</summary>
public sealed class ManageTenantsTests
{
    private static readonly Dictionary<string, string?> Settings = new()
    {
        ["Tenants:acme:Plan"] = "free",
        ["Tenants:acme:MaxConcurrency"] = "7",
        ["Tenants:initech:CustomDomain"] = "initech.example",
        ["Upstreams:orders:Address"] = "http://127.0.0.1:9",
        ["Plans:gold:RequestsPerMinute"] = "900",
        ["Plans:gold:Burst"] = "90",
        ["State:Timeout"] = Generous.StateTimeout,
        ["Limits:Mode"] = "Exact",
    };

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task A_stored_tenant_applies_at_once_and_overrides_configuration_until_it_is_deleted(string engine)
    {
        using var redis = engine == "redis" ? RedisServer.Run() : null;
        await using var host = await Start(redis);
        Assert.Equal(HttpStatusCode.Forbidden, (await host.Get("/things", tenant: "globex")).StatusCode);
        Assert.Equal("20", await Limit(host, "acme"));

        using var created = await Put(host, "globex", """{"plan":"gold"}""");
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        Assert.Equal("90", await Limit(host, "globex"));
        using var over = await Put(
            host,
            "acme",
            """{"plan":"pro","rateLimit":{"requestsPerMinute":60000,"burst":450},"allowedEndpoints":["/things"]}"""
        );
        Assert.Equal(HttpStatusCode.OK, over.StatusCode);
        Assert.Contains(
            "\"burst\";q=500;w=6, \"daily\";q=1000000;w=86400, \"tenant\";q=450;w=1",
            await Policy(host, "acme"),
            StringComparison.Ordinal
        );
        Assert.Equal(HttpStatusCode.Forbidden, (await host.Get("/search", tenant: "acme")).StatusCode);

        using var deleted = await Send(host, HttpMethod.Delete, "acme", etag: over.Headers.ETag!.Tag);
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal("20", await Limit(host, "acme"));
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/search", tenant: "acme")).StatusCode);
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task A_change_of_a_tenant_must_name_the_current_version(string engine)
    {
        using var redis = engine == "redis" ? RedisServer.Run() : null;
        await using var host = await Start(redis);
        using var created = await Put(host, "globex", """{"plan":"free"}""", noneMatch: "*");
        var first = created.Headers.ETag!.Tag;
        Assert.Equal(HttpStatusCode.PreconditionFailed, (await Put(host, "globex", """{"plan":"pro"}""", noneMatch: "*")).StatusCode);
        await Problem(await Put(host, "globex", """{"plan":"pro"}"""), 428, "precondition_required");
        await Problem(await Send(host, HttpMethod.Delete, "globex"), 428, "precondition_required");
        await Problem(await Put(host, "globex", """{"plan":"pro"}""", "\"other\""), 412, "precondition_failed");
        await Problem(await Put(host, "none", """{"plan":"pro"}""", "*"), 412, "precondition_failed");

        using var changed = await Put(host, "globex", """{"plan":"pro"}""", first);
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        await Problem(await Put(host, "globex", """{"plan":"gold"}""", first), 412, "precondition_failed");
        await Problem(await Send(host, HttpMethod.Delete, "globex", etag: first), 412, "precondition_failed");
        using var read = await Send(host, HttpMethod.Get, "globex");
        Assert.Equal(changed.Headers.ETag!.Tag, read.Headers.ETag!.Tag);
        Assert.Equal("""{"plan":"pro"}""", await read.Content.ReadAsStringAsync());

        // Of ten concurrent writes with the same version, one succeeds.
        var racing = await Task.WhenAll(
            Enumerable
                .Range(1, 10)
                .Select(i => Put(host, "globex", $$"""{"plan":"pro","maxConcurrency":{{i}}}""", changed.Headers.ETag.Tag))
        );
        Assert.Single(racing, r => r.StatusCode == HttpStatusCode.OK);
        Assert.Equal(9, racing.Count(r => r.StatusCode == HttpStatusCode.PreconditionFailed));
        Assert.Equal(HttpStatusCode.NoContent, (await Send(host, HttpMethod.Delete, "globex", etag: "*")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await Send(host, HttpMethod.Get, "globex")).StatusCode);
    }

    [Theory]
    [InlineData(null, "\"other\"", 428)]
    [InlineData(null, "nonsense", 428)]
    [InlineData("*", "*", 412)]
    [InlineData("*", "\"other\"", 200)]
    public async Task An_If_None_Match_header_does_not_replace_If_Match(string? match, string noneMatch, int status)
    {
        await using var host = await Start(null);
        await Put(host, "globex", """{"plan":"free"}""");

        using var answer = await Put(host, "globex", """{"plan":"pro"}""", match, noneMatch);

        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task A_damaged_tenant_in_the_store_hides_no_other_tenant_and_can_be_repaired(string engine)
    {
        using var redis = engine == "redis" ? RedisServer.Run() : null;
        await using var host = await Start(redis);
        var store = host.Services.GetRequiredService<ITenantStore>();
        await store.Write(new("globex", null, "no JSON"u8.ToArray(), []), default);
        await store.Write(new("umbrella", null, "no JSON"u8.ToArray(), []), default);

        using var listed = await host.Get("/internal/tenants", "ops");
        var tenants = JsonDocument.Parse(await listed.Content.ReadAsStringAsync()).RootElement.GetProperty("data").EnumerateArray();
        Assert.Equal(["acme", "globex", "initech", "umbrella"], tenants.Select(t => t.GetProperty("id").GetString()));
        Assert.Equal(HttpStatusCode.OK, (await Put(host, "globex", """{"plan":"gold"}""", "*")).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await Send(host, HttpMethod.Delete, "umbrella", etag: "*")).StatusCode);

        Assert.Equal("90", await Limit(host, "globex"));
    }

    [Theory]
    [InlineData("embedded", "no JSON"), InlineData("embedded", "null"), InlineData("embedded", "[]")]
    [RedisData("redis", "no JSON")]
    public async Task No_request_of_a_tenant_is_admitted_while_its_stored_document_cannot_be_read(string engine, string document)
    {
        using var redis = engine == "redis" ? RedisServer.Run() : null;
        await using var host = await Start(redis);
        var store = host.Services.GetRequiredService<ITenantStore>();
        await store.Write(new("globex", null, Encoding.UTF8.GetBytes(document), []), default);

        await Problem(await host.Get("/things", tenant: "globex"), 503, "store_unavailable");
        await Problem(await host.Get("/things", tenant: "globex"), 503, "store_unavailable");

        Assert.Single(host.Log.Entries, l => l.Event.Name == "TenantUnreadable");
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/things", tenant: "acme")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await Put(host, "globex", """{"plan":"gold"}""", "*")).StatusCode);
        Assert.Equal("90", await Limit(host, "globex"));
    }

    [Fact]
    public async Task A_stored_network_that_cannot_be_parsed_allows_no_address()
    {
        await using var host = await Start(null);
        await host
            .Services.GetRequiredService<ITenantStore>()
            .Write(new("globex", null, """{"plan":"gold","allowedAddresses":["10.1/16"]}"""u8.ToArray(), []), default);

        await Problem(await host.Get("/things", tenant: "globex"), 403, "address_not_allowed");
        Assert.Single(host.Log.Entries, l => l.Event.Name == "TenantDoesNotFit");
    }

    [Fact]
    public async Task A_stored_pattern_that_cannot_be_parsed_allows_no_endpoint()
    {
        await using var host = await Start(null);
        await host
            .Services.GetRequiredService<ITenantStore>()
            .Write(new("globex", null, """{"plan":"gold","allowedEndpoints":["things"]}"""u8.ToArray(), []), default);

        await Problem(await host.Get("/things", tenant: "globex"), 403, "endpoint_not_in_plan");
    }

    [Fact]
    public async Task A_weak_entity_tag_names_the_same_version_as_the_strong_one()
    {
        await using var host = await Start(null);
        using var created = await Put(host, "globex", """{"plan":"free"}""");

        using var changed = await Put(host, "globex", """{"plan":"pro"}""", "W/" + created.Headers.ETag!.Tag);

        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        await Problem(await Put(host, "globex", """{"plan":"gold"}""", "W/" + created.Headers.ETag.Tag), 412, "precondition_failed");
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task The_audit_log_records_every_change_of_a_tenant_and_no_refused_change(string engine)
    {
        using var redis = engine == "redis" ? RedisServer.Run() : null;
        await using var host = await Start(redis);
        using var created = await Put(host, "globex", """{"plan":"pro"}""");
        using var stale = await Put(host, "globex", """{"plan":"free"}""", "\"other\"");
        using var wrong = await Put(host, "globex", """{"plan":"none"}""", "*");
        using var changed = await Put(host, "globex", """{"plan":"gold"}""", created.Headers.ETag!.Tag);
        using var deleted = await Send(host, HttpMethod.Delete, "globex", etag: changed.Headers.ETag!.Tag);
        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);

        var entries = (await host.Services.GetRequiredService<IAuditLog>().Read(new("globex"), null, 10, default)).Entries;
        Assert.Equal(
            [
                ("tenant.deleted", """{"plan":"gold"}""", ""),
                ("tenant.changed", """{"plan":"pro"}""", """{"plan":"gold"}"""),
                ("tenant.created", "", """{"plan":"pro"}"""),
            ],
            entries.Select(e => (e.Action, e.Before?.ToString() ?? "", e.After?.ToString() ?? ""))
        );
        Assert.All(entries, e => Assert.Equal(("user:ops", false), (e.Actor, string.IsNullOrEmpty(e.RequestId))));
    }

    [Theory]
    [InlineData("""{"plan":"none"}""", "plan")]
    [InlineData("""{"priority":"urgent"}""", "priority")]
    [InlineData("""{"maxConcurrency":0}""", "maxConcurrency")]
    [InlineData("""{"rateLimit":{"burst":5}}""", "rateLimit.requestsPerMinute")]
    [InlineData("""{"allowedEndpoints":["/ok","v1"]}""", "allowedEndpoints.1")]
    [InlineData("""{"customDomain":"https://x"}""", "customDomain")]
    [InlineData("""{"customDomain":"INITECH.example"}""", "customDomain")]
    [InlineData("""{"customDomain":"bücher.example"}""", "customDomain")]
    [InlineData("""{"customDomain":"x.example."}""", "customDomain")]
    [InlineData("""{"allowedAddresses":["10.0.0.0/8","10.1/16"]}""", "allowedAddresses.1")]
    [InlineData("""{"allowedAddresses":["010.0.0.1"]}""", "allowedAddresses.0")]
    [InlineData(
        """{"dedicatedUpstreams":{"orders":{"address":"http://a"},"Orders":{"address":"http://b"}}}""",
        "dedicatedUpstreams.orders.address"
    )]
    [InlineData("""{"dedicatedUpstreams":{"orders":{"address":"orders"}}}""", "dedicatedUpstreams.orders.address")]
    [InlineData("""{"dedicatedUpstreams":{"none":{"address":"http://none"}}}""", "dedicatedUpstreams.none")]
    public async Task A_document_is_checked_by_the_rules_of_the_configuration(string document, string member)
    {
        await using var host = await Start(null);
        var problem = await Problem(await Put(host, "globex", document), 400, "validation_failed");
        Assert.Equal([member], problem.GetProperty("errors").EnumerateObject().Select(e => e.Name));
        Assert.Equal(HttpStatusCode.NotFound, (await Send(host, HttpMethod.Get, "globex")).StatusCode);
    }

    [Theory]
    [InlineData("""{"plam":"pro"}""")]
    [InlineData("""{"maxConcurrency":"5"}""")]
    [InlineData("""[]""")]
    [InlineData("""{"plan":"pro","plan":"free"}""")]
    public async Task An_invalid_document_is_answered_with_400(string document)
    {
        await using var host = await Start(null);
        Assert.Equal(HttpStatusCode.BadRequest, (await Put(host, "globex", document)).StatusCode);
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task Tenants_of_both_sources_are_listed_together_in_pages(string engine)
    {
        using var redis = engine == "redis" ? RedisServer.Run() : null;
        await using var host = await Start(redis);
        await Put(host, "globex", """{"plan":"pro"}""");
        await Put(host, "acme", """{"plan":"pro"}""");
        var listed = new List<string>();
        var cursor = "";
        do
        {
            using var answer = await host.Get($"/internal/tenants?limit=2{cursor}", "ops");
            var page = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
            listed.AddRange(page.GetProperty("data").EnumerateArray().Select(t => $"{t.GetProperty("id")} {t.GetProperty("source")}"));
            cursor = page.TryGetProperty("nextCursor", out var next) ? "&cursor=" + next : "";
            Assert.Equal(cursor.Length > 0, page.GetProperty("hasMore").GetBoolean());
        } while (cursor.Length > 0);

        Assert.Equal(["acme store", "globex store", "initech configuration"], listed);
        using var configured = await Send(host, HttpMethod.Get, "initech");
        Assert.Equal("""{"customDomain":"initech.example"}""", await configured.Content.ReadAsStringAsync());
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task A_stored_domain_accepts_only_its_tenant(string engine)
    {
        using var redis = engine == "redis" ? RedisServer.Run() : null;
        await using var host = await Start(redis);
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/things", tenant: "acme", host: "globex.example")).StatusCode);
        await Put(host, "globex", """{"plan":"pro","customDomain":"globex.example"}""");
        Assert.Equal(HttpStatusCode.Forbidden, (await host.Get("/things", tenant: "acme", host: "GLOBEX.example")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/things", tenant: "globex", host: "globex.example")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await host.Get("/things", tenant: "acme", host: "initech.example")).StatusCode);
        await Put(host, "initech", "{}"); // The stored tenant replaces the configured one completely.
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/things", tenant: "acme", host: "initech.example")).StatusCode);
        await Problem(await Put(host, "umbrella", """{"customDomain":"globex.EXAMPLE"}"""), 400, "validation_failed");
    }

    [Fact]
    public async Task A_tenant_whose_plan_is_removed_has_the_free_plan_until_it_is_back_and_is_logged_once()
    {
        var plans = new Edited();
        await using var host = await Start(null, plans);
        plans.Edit(("Plans:silver:RequestsPerMinute", "80"), ("Plans:silver:Burst", "80"));
        await Put(host, "globex", """{"plan":"silver"}""");
        Assert.Equal("80", await Limit(host, "globex"));
        plans.Edit();
        Assert.Equal("20", await Limit(host, "globex"));
        Assert.Equal("20", await Limit(host, "globex"));
        Assert.Single(host.Log.Entries, l => l.Event.Name == "TenantDoesNotFit");
        plans.Edit(("Plans:silver:RequestsPerMinute", "80"), ("Plans:silver:Burst", "80"));
        Assert.Equal("80", await Limit(host, "globex"));
    }

    [Fact]
    public async Task A_tenant_written_by_a_later_version_is_read_without_its_unknown_members()
    {
        await using var host = await Start(null);
        await host
            .Services.GetRequiredService<ITenantStore>()
            .Write(new("globex", null, """{"plan":"gold","later":{"a":1}}"""u8.ToArray(), []), default);
        Assert.Equal("90", await Limit(host, "globex"));
    }

    [RedisFact]
    public async Task Every_instance_applies_a_change_within_a_second_even_when_its_message_is_lost()
    {
        using var redis = RedisServer.Run();
        using var route = new RedisRoute(redis);
        await using var here = await Start(redis);
        await using var there = await Start(route.Address);
        await using var third = await Start(redis);
        using var created = await Put(here, "globex", """{"plan":"pro"}""");
        Assert.Equal("500", await Limit(there, "globex"));
        Assert.Equal("500", await Limit(third, "globex"));

        route.LoseMessages();
        using var changed = await Put(here, "globex", """{"plan":"gold"}""", created.Headers.ETag!.Tag);
        Assert.Equal("90", await Limit(here, "globex"));
        await Eventually.True(async () => await Limit(third, "globex") == "90");
        await Eventually.True(async () => await Limit(there, "globex") == "90");

        // The instance is cut off during ten changes: it keeps the last known version, then gets the last change.
        route.LeadTo(null);
        var etag = changed.Headers.ETag!.Tag;
        for (var i = 1; i <= 10; i++)
        {
            using var one = await Put(here, "globex", $$"""{"plan":"enterprise","maxConcurrency":{{i}}}""", etag);
            etag = one.Headers.ETag!.Tag;
        }

        var tenants = there.Services.GetRequiredService<ITenants>();
        await Eventually.True(() => there.Services.GetRequiredService<RedisState>().IsKnownAway);
        Assert.Equal("gold", (await tenants.Find("globex"))!.Plan!.Name);
        Assert.Equal("free", (await tenants.Find("acme"))!.Plan!.Name);
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await tenants.Find("unheard-of"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await Put(there, "globex", "{}", etag)).StatusCode);

        route.LeadTo(redis);
        await Eventually.True(async () => await tenants.Find("globex") is { MaxConcurrency: 10 });
        Assert.Equal("1000", await Limit(there, "globex"));
    }

    [Fact]
    public void Every_setting_of_a_tenant_is_a_member_of_the_document()
    {
        var members = typeof(TenantDocument).GetProperties().Select(p => p.Name).ToHashSet();
        Assert.Empty(Setting.Of(typeof(Tenant)).Select(s => s.Key.Split(':')[0]).Distinct().Except(members));
    }

    private static async Task<LimitedHost> Start(object? redis, IConfigurationSource? source = null)
    {
        var host = await LimitedHost.Start(
            PlanFamily.Partner,
            new(Settings)
            {
                ["ConnectionStrings:redis"] = redis switch
                {
                    RedisServer server => server.ConnectionString,
                    string address => address,
                    _ => null,
                },
            },
            configure: builder =>
            {
                if (source is not null)
                {
                    ((IConfigurationBuilder)builder.Configuration).Add(source);
                }
            }
        );
        await Eventually.True(() => redis is null || host.Services.GetRequiredService<RedisState>().IsAvailable);
        return host;
    }

    /// <summary>A configuration source whose keys the test replaces.</summary>
    private sealed class Edited : ConfigurationProvider, IConfigurationSource
    {
        public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

        public void Edit(params (string Key, string Value)[] values)
        {
            Data = values.ToDictionary(v => v.Key, v => (string?)v.Value, StringComparer.OrdinalIgnoreCase);
            OnReload();
        }
    }

    private static async Task<string> Limit(LimitedHost host, string tenant)
    {
        using var answer = await host.Get("/things", tenant: tenant);
        return answer.Headers.TryGetValues("X-RateLimit-Limit", out var limit) ? limit.Single() : answer.StatusCode.ToString();
    }

    private static async Task<string> Policy(LimitedHost host, string tenant)
    {
        using var answer = await host.Get("/things", tenant: tenant);
        return answer.Headers.GetValues("RateLimit-Policy").Single();
    }

    private static Task<HttpResponseMessage> Put(
        LimitedHost host,
        string id,
        string document,
        string? etag = null,
        string? noneMatch = null
    ) => Send(host, HttpMethod.Put, id, document, etag, noneMatch);

    private static Task<HttpResponseMessage> Send(
        LimitedHost host,
        HttpMethod method,
        string id,
        string? document = null,
        string? etag = null,
        string? noneMatch = null
    )
    {
        var request = new HttpRequestMessage(method, "/internal/tenants/" + id);
        request.Headers.Add("Test-Subject", "ops");
        if (document is not null)
        {
            request.Content = new StringContent(document, new MediaTypeHeaderValue("application/json"));
        }

        if (etag is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", etag);
        }

        if (noneMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", noneMatch);
        }

        return host.Client.SendAsync(request);
    }

    private static async Task<JsonElement> Problem(HttpResponseMessage answer, int status, string code)
    {
        Assert.Equal(status, (int)answer.StatusCode);
        var problem = await LimitedHost.Problem(answer);
        Assert.Equal(code, problem.GetProperty("code").GetString());
        return problem;
    }
}
