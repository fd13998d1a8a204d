using System.Globalization;
using System.Net;
using Bff.RateLimiting;
using Bff.Tenancy;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.RateLimiting;

/// <summary>Tests rate limiting as clients see it, on the embedded engine and a clock that the test moves.</summary>
public sealed class RateLimitingTests
{
    private readonly ManualTimeProvider _clock = new(new DateTimeOffset(2026, 3, 1, 23, 0, 0, TimeSpan.Zero));

    private Task<LimitedHost> Users(params (string Key, string Value)[] settings) => Start(PlanFamily.Users, settings);

    private Task<LimitedHost> Partners(params (string Key, string Value)[] settings) => Start(PlanFamily.Partner, settings);

    private Task<LimitedHost> Start(PlanFamily family, (string Key, string Value)[] settings) =>
        LimitedHost.Start(family, settings.ToDictionary(s => s.Key, s => (string?)s.Value), _clock);

    private static string Header(HttpResponseMessage response, string name) => Assert.Single(response.Headers.GetValues(name));

    [Fact]
    public async Task Every_answer_reports_the_remaining_tokens_in_well_formed_headers()
    {
        await using var host = await Partners(("Tenants:acme:Plan", "free"));
        for (var left = 19; left >= 0; left--)
        {
            using var answer = await host.Get("/things", tenant: "acme");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal("\"burst\";q=20;w=12, \"daily\";q=10000;w=86400", Header(answer, "RateLimit-Policy"));
            var limit = Assert.Single(StructuredFields.ParseList(Header(answer, "RateLimit")));
            Assert.Equal(
                ("burst", left, (long)Math.Ceiling((20 - left) * 0.6)),
                (limit.Name, limit.Parameters["r"], limit.Parameters["t"])
            );
            Assert.Equal(2, StructuredFields.ParseList(Header(answer, "RateLimit-Policy")).Count);
            Assert.Equal("20", Header(answer, "X-RateLimit-Limit"));
            Assert.Equal(left.ToString(CultureInfo.InvariantCulture), Header(answer, "X-RateLimit-Remaining"));
            Assert.Equal(
                _clock.GetUtcNow().ToUnixTimeSeconds() + limit.Parameters["t"],
                long.Parse(Header(answer, "X-RateLimit-Reset"), CultureInfo.InvariantCulture)
            );
        }
    }

    [Fact]
    public async Task A_refusal_names_the_violated_policy_and_only_a_caller_that_waits_long_enough_is_admitted()
    {
        await using var host = await Users(("Plans:free:Burst", "3"), ("Plans:free:RequestsPerMinute", "7"));
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(HttpStatusCode.OK, (await host.Get("/things")).StatusCode);
        }

        using var refused = await host.Get("/things");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        var problem = await LimitedHost.Problem(refused);
        Assert.Equal("rate_limit_exceeded", problem.GetProperty("code").GetString());
        Assert.Equal(3, problem.GetProperty("limit").GetInt32());
        Assert.Equal(26, problem.GetProperty("window").GetInt32());
        Assert.Equal("burst", problem.GetProperty("violated-policies")[0].GetString());
        Assert.Equal(1, problem.GetProperty("violated-policies").GetArrayLength());
        Assert.Equal("0", Header(refused, "X-RateLimit-Remaining"));
        var wait = int.Parse(Header(refused, "Retry-After"), CultureInfo.InvariantCulture);
        Assert.Equal(wait, problem.GetProperty("retryAfter").GetInt32());
        Assert.Equal(9, wait); // 60/7 s, rounded up.

        _clock.Advance(TimeSpan.FromSeconds(wait - 1));
        Assert.Equal(HttpStatusCode.TooManyRequests, (await host.Get("/things")).StatusCode);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/things")).StatusCode);
    }

    [Fact]
    public async Task The_daily_quota_has_its_own_problem_code_and_resets_at_midnight()
    {
        await using var host = await Users(("Plans:free:RequestsPerDay", "2"));
        await host.Get("/things");
        Assert.Equal("\"daily\";r=0;t=3600", Header(await host.Get("/things"), "RateLimit"));
        using var refused = await host.Get("/things");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        var problem = await LimitedHost.Problem(refused);
        Assert.Equal("quota_exceeded", problem.GetProperty("code").GetString());
        Assert.Equal("daily", problem.GetProperty("violated-policies")[0].GetString());
        Assert.Equal(
            (2, 86400, 3600),
            (
                problem.GetProperty("limit").GetInt32(),
                problem.GetProperty("window").GetInt32(),
                problem.GetProperty("retryAfter").GetInt32()
            )
        );
        Assert.Equal("2", Header(refused, "X-RateLimit-Limit"));
        _clock.Advance(TimeSpan.FromSeconds(3600));
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/things")).StatusCode);
    }

    [Fact]
    public async Task Overage_admits_past_the_quota_up_to_its_ceiling_and_is_counted_for_the_tenant()
    {
        await using var host = await Partners(
            ("Tenants:acme:Plan", "pro"),
            ("Plans:pro:RequestsPerDay", "2"),
            ("Plans:pro:Overage", "true"),
            ("Plans:pro:OverageCeiling", "5")
        );
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(HttpStatusCode.OK, (await host.Get("/things", tenant: "acme")).StatusCode);
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, (await host.Get("/things", tenant: "acme")).StatusCode);
        var overage = await host.Services.GetRequiredService<RateLimiter>().OverageOf("acme");
        Assert.Equal(3, overage[new DateOnly(2026, 3, 1)]);
    }

    [Fact]
    public async Task A_search_costs_two_and_an_expensive_endpoint_has_a_bucket_of_its_own()
    {
        await using var host = await Users(
            ("Limits:Endpoints:expensive:RequestsPerMinute", "1"),
            ("Limits:Endpoints:expensive:Burst", "2")
        );
        Assert.Equal("28", Header(await host.Get("/search"), "X-RateLimit-Remaining"));
        using var first = await host.Get("/expensive");
        Assert.Equal("\"endpoint\";r=1;t=60", Header(first, "RateLimit"));
        Assert.Equal("\"burst\";q=30;w=30, \"endpoint\";q=2;w=120", Header(first, "RateLimit-Policy"));
        await host.Get("/expensive");
        for (var i = 0; i < 3; i++)
        {
            using var refused = await host.Get("/expensive");
            Assert.Equal("endpoint", (await LimitedHost.Problem(refused)).GetProperty("violated-policies")[0].GetString());
        }

        Assert.Equal("25", Header(await host.Get("/things"), "X-RateLimit-Remaining")); // 30 - 2 - 2 - 1 tokens: the refusals cost nothing.
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/expensive", "bob")).StatusCode);
    }

    [Fact]
    public async Task A_batch_costs_its_items_or_nothing_when_refused_or_one_when_malformed()
    {
        await using var host = await Users();
        using var ten = await host.Send(HttpMethod.Post, "/batch/10", "alice");
        Assert.Equal("20", Header(ten, "X-RateLimit-Remaining"));
        using var refused = await host.Send(HttpMethod.Post, "/batch/21", "alice");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal("1", Header(refused, "Retry-After"));
        await host.Send(HttpMethod.Post, "/batch/0", "alice");
        Assert.Equal("18", Header(await host.Get("/things"), "X-RateLimit-Remaining"));
        // The batch takes all tokens of a full bucket.
        Assert.Equal(HttpStatusCode.OK, (await host.Send(HttpMethod.Post, "/batch/100", "bob")).StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await host.Get("/things", "bob")).StatusCode);
    }

    [Fact]
    public async Task The_highest_role_decides_a_user_s_plan()
    {
        await using var host = await Users();
        Assert.Equal("30", Header(await host.Get("/things", "a"), "X-RateLimit-Limit"));
        Assert.Equal("120", Header(await host.Get("/things", "b", roles: "premium,free"), "X-RateLimit-Limit"));
        Assert.Equal("1000", Header(await host.Get("/things", "c", roles: "premium,enterprise,other"), "X-RateLimit-Limit"));
    }

    [Fact]
    public async Task Anonymous_callers_share_the_bucket_of_their_address_and_other_callers_have_their_own()
    {
        await using var host = await Users(("Plans:anonymous:Burst", "2"), ("Plans:free:Burst", "2"));
        await host.Get("/open", subject: null);
        await host.Get("/open", subject: null);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await host.Get("/open", subject: null)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/open", "alice")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/unlimited", subject: null)).StatusCode);
        Assert.False((await host.Get("/unlimited", subject: null)).Headers.Contains("RateLimit"));
        await host.Get("/things", "bob");
        await host.Get("/things", "bob");
        Assert.Equal(HttpStatusCode.TooManyRequests, (await host.Get("/things", "bob")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/things", "carol")).StatusCode);
    }

    [Fact]
    public async Task Callers_of_a_tenant_share_its_bucket_and_a_refusal_there_costs_the_caller_nothing()
    {
        await using var host = await Users(("Tenants:acme:RateLimit:RequestsPerMinute", "1"), ("Tenants:acme:RateLimit:Burst", "2"));
        await host.Get("/things", "alice", "acme");
        await host.Get("/things", "bob", "acme");
        using var refused = await host.Get("/things", "carol", "acme");
        Assert.Equal("tenant", (await LimitedHost.Problem(refused)).GetProperty("violated-policies")[0].GetString());
        _clock.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/things", "carol", "acme")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/things", "carol")).StatusCode);
    }

    [Fact]
    public async Task Partners_need_a_configured_tenant_and_users_do_not()
    {
        await using var partners = await Partners(("Tenants:acme:Plan", "pro"));
        Assert.Equal(HttpStatusCode.OK, (await partners.Get("/things", tenant: "acme")).StatusCode);
        foreach (var tenant in (string?[])["other", "ACME", null])
        {
            using var refused = await partners.Get("/things", tenant: tenant);
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
            Assert.Equal("forbidden", (await LimitedHost.Problem(refused)).GetProperty("code").GetString());
        }

        await using var users = await Users();
        Assert.Equal(HttpStatusCode.OK, (await users.Get("/things", tenant: "other")).StatusCode);
    }

    [Fact]
    public async Task A_tenant_may_use_only_its_allowed_endpoints_in_any_spelling()
    {
        await using var host = await Users(
            ("Tenants:acme:AllowedEndpoints:0", "/v1/orders/*"),
            ("Tenants:acme:AllowedEndpoints:1", "/search")
        );
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/v1/orders/1", tenant: "acme")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/v1/%6Frders/1", tenant: "acme")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/Search/", tenant: "acme")).StatusCode);
        foreach (var path in (string[])["/things", "/th%69ngs", "/THINGS"])
        {
            using var refused = await host.Get(path, tenant: "acme");
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
            Assert.Equal("endpoint_not_in_plan", (await LimitedHost.Problem(refused)).GetProperty("code").GetString());
        }
    }

    [Fact]
    public async Task A_tenant_s_own_domain_accepts_only_its_credentials()
    {
        await using var host = await Users(("Tenants:acme:CustomDomain", "api.acme.example"), ("Tenants:other:Priority", "low"));
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/things", tenant: "acme", host: "API.acme.example:8443")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/things", tenant: "acme")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await host.Get("/things", tenant: "other", host: "api.acme.example")).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await host.Get("/things", host: "api.acme.example")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/open", subject: null, host: "api.acme.example")).StatusCode);
    }

    [Theory]
    [InlineData("203.0.113.7", HttpStatusCode.OK)]
    [InlineData("::ffff:203.0.113.7", HttpStatusCode.OK)]
    [InlineData("198.51.100.9", HttpStatusCode.OK)]
    [InlineData("198.51.100.10", HttpStatusCode.Forbidden)]
    [InlineData("2001:db8:1::1", HttpStatusCode.OK)]
    [InlineData("2001:db8:2::1", HttpStatusCode.Forbidden)]
    public async Task A_tenant_is_served_only_from_its_allowed_addresses(string address, HttpStatusCode status)
    {
        await using var host = await Users(
            ("Tenants:acme:AllowedAddresses:0", "203.0.113.0/24"),
            ("Tenants:acme:AllowedAddresses:1", "198.51.100.9"),
            ("Tenants:acme:AllowedAddresses:2", "2001:db8:1::/48"),
            ("ForwardedHeaders:KnownProxies:0", "127.0.0.1")
        );
        host.Client.DefaultRequestHeaders.Add("X-Forwarded-For", address);

        using var answer = await host.Get("/things", tenant: "acme");

        Assert.Equal(status, answer.StatusCode);
        if (status == HttpStatusCode.Forbidden)
        {
            Assert.Equal("address_not_allowed", (await LimitedHost.Problem(answer)).GetProperty("code").GetString());
        }

        Assert.Equal(HttpStatusCode.OK, (await host.Get("/things", tenant: "other")).StatusCode);
    }

    [Fact]
    public async Task A_read_only_plan_refuses_domain_writes_and_allows_webhook_management()
    {
        await using var host = await Partners(("Tenants:acme:Plan", "free"));
        using var refused = await host.Send(HttpMethod.Post, "/orders", "alice", "acme");
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Equal("endpoint_not_in_plan", (await LimitedHost.Problem(refused)).GetProperty("code").GetString());
        Assert.Equal(HttpStatusCode.OK, (await host.Send(HttpMethod.Post, "/webhooks", "alice", "acme")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.Get("/things", "alice", "acme")).StatusCode);
    }

    [Fact]
    public async Task A_body_larger_than_the_plan_allows_is_413_with_and_without_a_length()
    {
        await using var host = await Users(("Plans:free:MaxPayloadBytes", "1000"));
        using var fits = await host.Send(HttpMethod.Post, "/orders", "alice", content: new ByteArrayContent(new byte[1000]));
        Assert.Equal(HttpStatusCode.OK, fits.StatusCode);
        using var large = await host.Send(HttpMethod.Post, "/orders", "alice", content: new ByteArrayContent(new byte[1001]));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
        Assert.Equal("payload_too_large", (await LimitedHost.Problem(large)).GetProperty("code").GetString());
        using var chunked = new HttpRequestMessage(HttpMethod.Post, "/orders") { Content = new ByteArrayContent(new byte[1001]) };
        chunked.Headers.TransferEncodingChunked = true;
        chunked.Headers.Add("Test-Subject", "alice");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await host.Client.SendAsync(chunked)).StatusCode);
    }

    [Fact]
    public async Task Plans_and_tenants_follow_the_configuration_and_a_bad_edit_changes_nothing()
    {
        await using var host = await Users(("Tenants:acme:Plan", "free"), ("Upstreams:orders:Address", "http://127.0.0.1:9"));
        var tenants = host.Services.GetRequiredService<ITenants>();
        Assert.Equal("30", Header(await host.Get("/things"), "X-RateLimit-Limit"));

        host.Configuration["Plans:free:Burst"] = "40";
        host.Configuration["Tenants:acme:Priority"] = "high";
        host.Configuration["Tenants:acme:MaxConcurrency"] = "7";
        host.Configuration["Tenants:acme:DedicatedUpstreams:orders:Address"] = "http://127.0.0.1:9";
        host.Configuration["Tenants:acme:CustomDomain"] = "api.acme.example";
        Reload(host);
        Assert.Equal("40", Header(await host.Get("/things"), "X-RateLimit-Limit"));
        var acme = (await tenants.Find("acme"))!;
        Assert.Equal(
            (TenantPriority.High, 7, "http://127.0.0.1:9/"),
            (acme.Priority, acme.MaxConcurrency, acme.DedicatedUpstreams["orders"].ToString())
        );
        Assert.Equal(HttpStatusCode.Forbidden, (await host.Get("/things", tenant: "globex", host: "API.acme.example")).StatusCode);

        host.Configuration["Plans:free:Burst"] = "50";
        host.Configuration["Tenants:acme:Plan"] = "none such";
        Reload(host);
        Assert.Equal("40", Header(await host.Get("/things"), "X-RateLimit-Limit"));
        Assert.Equal("free", (await tenants.Find("acme"))!.Plan!.Name);
    }

    private static void Reload(LimitedHost host) => ((Microsoft.Extensions.Configuration.IConfigurationRoot)host.Configuration).Reload();
}
