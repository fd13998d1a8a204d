using Bff.BrowserKit;
using Microsoft.Playwright;
using PartnerBff.Tests.Webhooks;
using static Microsoft.Playwright.Assertions;

namespace PartnerBff.Tests.Portal;

/// <summary>Changes of plan: requested in the portal, decided by an operator, in force at once.</summary>
public sealed class PlanTests(SharedSurroundings surroundings) : PortalTest(surroundings)
{
    private static readonly Dictionary<string, string?> Loopback = new()
    {
        ["Webhooks:AllowPrivateNetworks"] = "true",
        ["Webhooks:Jitter"] = "0",
    };

    [ChromiumFact]
    public async Task An_approved_plan_shows_in_the_next_request_the_portal_a_webhook_and_the_audit_log()
    {
        await using var receiver = await Receiver.Start();
        var host = StartPortal(Loopback);
        var hook = await Json(
            await Send(
                host,
                HttpMethod.Post,
                "/v1/webhook-endpoints",
                InitechKey,
                new JsonObject { ["url"] = receiver.Url + "/hooks", ["types"] = new JsonArray("plan.*") }
            ),
            201
        );
        using var before = await Get(host, "/v1/products?limit=1", InitechKey);
        Assert.Equal("free", await PlanOf(host));
        await using var chromium = await Chromium.Start(host);
        var page = chromium.Page;
        await chromium.SignIn("/portal", "Dave");
        await page.GetByRole(AriaRole.Link, new() { Name = "Plan", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Request pro" }).ClickAsync();
        await Expect(page.Locator("[data-pending=pro]")).ToContainTextAsync("pending");

        var waiting = Assert.Single((await Json(await Internal(host, HttpMethod.Get, "plan-changes")))["data"]!.AsArray())!;
        Assert.Equal(
            ("initech", "free", "pro", "pending"),
            ((string?)waiting["tenant"], (string?)waiting["previousPlan"], (string?)waiting["plan"], (string?)waiting["status"])
        );
        await Json(
            await Internal(
                host,
                HttpMethod.Post,
                "plan-changes/initech",
                new JsonObject { ["decision"] = "approve", ["note"] = "Welcome aboard" }
            )
        );

        using var after = await Get(host, "/v1/products?limit=1", InitechKey);
        Assert.NotEqual(before.Headers.GetValues("RateLimit-Policy").Single(), after.Headers.GetValues("RateLimit-Policy").Single());
        Assert.Equal("pro", await PlanOf(host));
        await page.ReloadAsync();
        await Expect(page.Locator("[data-decided=approved]")).ToContainTextAsync("Welcome aboard");
        await Expect(page.Locator(".offer.current h2")).ToContainTextAsync("pro");
        await chromium.Picture("plan-approved");
        await page.GetByRole(AriaRole.Link, new() { Name = "Activity" }).ClickAsync();
        await Expect(page.Locator("tr[data-action='plan.requested']")).ToContainTextAsync("You");
        await Expect(page.Locator("tr[data-action='plan.approved']")).ToContainTextAsync("Support");
        await Expect(page.Locator("tr[data-action='tenant.changed']")).ToContainTextAsync("Support");
        await chromium.Picture("activity");

        await Eventually.True(() => receiver.All.Count == 1, WaitLimit);
        var told = receiver.All.Single();
        Assert.True(WebhookTest.Verifies(told, (string)hook["secret"]!));
        var body = JsonNode.Parse(told.Body)!;
        Assert.Equal(
            ("plan.changed", "pro", "free"),
            ((string?)body["type"], (string?)body["data"]!["plan"], (string?)body["data"]!["previous_plan"])
        );

        Assert.Equal(["tenant.changed", "plan.approved", "plan.requested", "webhook.created"], await Actions(host, "initech"));
        Assert.Equal(4, host.Log.Entries.Count(e => e.Category == "Bff.Audit"));
        Assert.Empty(chromium.Complaints);
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task A_request_is_declined_with_a_note_or_withdrawn_and_decided_once(string engine)
    {
        var redis = engine == "redis" ? StartRedis() : null;
        var host = StartPortal(redis: redis);
        if (redis is not null)
        {
            await Connected(host);
        }

        await Problem(
            await Internal(host, HttpMethod.Post, "plan-changes/initech", new JsonObject { ["decision"] = "approve" }),
            404,
            "not_found"
        );
        var dave = await SignedIn(host, "dave");
        using var asked = await dave.Post("/portal/plan", await dave.Token(), ("plan", "pro"));
        Assert.Equal(HttpStatusCode.SeeOther, asked.StatusCode);
        await Problem(
            await Internal(host, HttpMethod.Post, "plan-changes/initech", new JsonObject { ["decision"] = "perhaps" }),
            400,
            "validation_failed"
        );
        await Problem(
            await Internal(
                host,
                HttpMethod.Post,
                "plan-changes/initech",
                new JsonObject { ["decision"] = "decline", ["note"] = new string('x', 501) }
            ),
            400,
            "validation_failed"
        );
        await Json(
            await Internal(
                host,
                HttpMethod.Post,
                "plan-changes/initech",
                new JsonObject { ["decision"] = "decline", ["note"] = "Not <yet>" }
            )
        );
        await Problem(
            await Internal(host, HttpMethod.Post, "plan-changes/initech", new JsonObject { ["decision"] = "approve" }),
            404,
            "not_found"
        );

        var page = await Page(await dave.Get("/portal/plan"));
        Assert.Contains("data-decided=\"declined\"", page, StringComparison.Ordinal);
        Assert.Contains("Not &lt;yet&gt;", page, StringComparison.Ordinal);
        Assert.Equal("free", await PlanOf(host));

        using var again = await dave.Post("/portal/plan", await dave.Token(), ("plan", "enterprise"));
        using var withdrawn = await dave.Post("/portal/plan/withdraw", await dave.Token());
        Assert.Empty((await Json(await Internal(host, HttpMethod.Get, "plan-changes")))["data"]!.AsArray());
        Assert.Equal(["plan.withdrawn", "plan.requested", "plan.declined", "plan.requested"], await Actions(host, "initech"));
    }

    /// <summary>Of ten simultaneous decisions one counts; the tenant has its plan and is notified once.</summary>
    [RedisFact]
    public async Task Only_one_of_several_decisions_on_different_instances_counts()
    {
        var redis = StartRedis();
        var (one, other) = (StartPortal(redis: redis), StartPortal(redis: redis));
        await Connected(one);
        await Connected(other);
        var dave = await SignedIn(one, "dave");
        using var asked = await dave.Post("/portal/plan", await dave.Token(), ("plan", "pro"));

        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 10)
                .Select(i =>
                    Internal(i % 2 == 0 ? one : other, HttpMethod.Post, "plan-changes/initech", new JsonObject { ["decision"] = "approve" })
                )
        );
        Assert.Single(answers, a => a.IsSuccessStatusCode);
        Assert.All(
            answers.Where(a => !a.IsSuccessStatusCode),
            a => Assert.True(a.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Conflict)
        );
        await Eventually.True(async () => await PlanOf(one) == "pro" && await PlanOf(other) == "pro", WaitLimit);
        Assert.Equal(["tenant.changed", "plan.approved", "plan.requested"], await Actions(other, "initech"));
        var events = await Json(await Get(other, "/v1/events?type=plan.changed", InitechKey));
        Assert.Single(events["data"]!.AsArray());
    }

    [Theory, InlineData("embedded"), RedisData("redis")]
    public async Task Every_change_is_in_the_audit_log_without_secrets_and_each_tenant_sees_its_own(string engine)
    {
        var redis = engine == "redis" ? StartRedis() : null;
        var host = StartPortal(Loopback, redis);
        if (redis is not null)
        {
            await Connected(host);
        }

        var key = await Json(
            await Send(
                host,
                HttpMethod.Post,
                "/v1/api-keys",
                AcmeKey,
                new JsonObject { ["name"] = "of jane.doe@example.org", ["scopes"] = new JsonArray("orders.read") }
            ),
            201
        );
        var rotated = await Json(await Send(host, HttpMethod.Post, $"/v1/api-keys/{key["id"]}/rotate", AcmeKey), 201);
        using var deleted = await Send(host, HttpMethod.Delete, $"/v1/api-keys/{rotated["id"]}", AcmeKey);
        var hook = await Json(
            await Send(
                host,
                HttpMethod.Post,
                "/v1/webhook-endpoints",
                AcmeKey,
                new JsonObject { ["url"] = "http://127.0.0.1:9/hidden-token?key=hidden" }
            ),
            201
        );
        await Json(
            await Send(host, HttpMethod.Patch, $"/v1/webhook-endpoints/{hook["id"]}", AcmeKey, new JsonObject { ["enabled"] = false })
        );
        var secret = await Json(await Send(host, HttpMethod.Post, $"/v1/webhook-endpoints/{hook["id"]}/rotate-secret", AcmeKey));
        using var gone = await Send(host, HttpMethod.Delete, $"/v1/webhook-endpoints/{hook["id"]}", AcmeKey);
        using var revoked = await Internal(
            host,
            HttpMethod.Post,
            "revocations",
            new JsonObject { ["sub"] = "jane.doe@example.org", ["issuedBefore"] = "2026-01-01T00:00:00Z" }
        );
        Assert.Equal(HttpStatusCode.NoContent, revoked.StatusCode);

        Assert.Equal(
            [
                "webhook.deleted",
                "webhook.secret_rotated",
                "webhook.changed",
                "webhook.created",
                "key.deleted",
                "key.rotated",
                "key.created",
                "key.created",
            ],
            await Actions(host, "acme")
        );
        var all = await Json(await Internal(host, HttpMethod.Get, "audit"));
        Assert.Equal("subject.revoked", (string?)all["data"]![0]!["action"]);
        var text = all.ToJsonString() + string.Join('\n', host.Log.Entries.Where(e => e.Category == "Bff.Audit").Select(e => e.Message));
        string[] secrets =
        [
            (string)key["key"]!,
            (string)rotated["key"]!,
            (string)hook["secret"]!,
            (string)secret["secret"]!,
            "hidden",
            "jane.doe",
        ];
        Assert.All(secrets, s => Assert.DoesNotContain(s, text, StringComparison.Ordinal));
        Assert.All(all["data"]!.AsArray(), e => Assert.False(string.IsNullOrEmpty((string?)e!["requestId"])));

        var carol = await SignedIn(host);
        var activity = await Page(await carol.Get("/portal/activity"));
        Assert.Contains((string)hook["id"]!, activity, StringComparison.Ordinal);
        Assert.Contains("enabled: true", activity, StringComparison.Ordinal);
        var dave = await SignedIn(host, "dave");
        Assert.DoesNotContain((string)hook["id"]!, await Page(await dave.Get("/portal/activity")), StringComparison.Ordinal);
        await Problem(await Send(host, HttpMethod.Get, "/internal/audit", AcmeKey), 403, "insufficient_scope");
    }

    private async Task<HttpResponseMessage> Internal(PartnerHost host, HttpMethod method, string path, JsonNode? body = null) =>
        await Send(host, method, "/internal/" + path, Surroundings.Token("operator", "tenants.manage audit.read tokens.revoke"), body);

    private async Task<List<string?>> Actions(PartnerHost host, string tenant) =>
        [
            .. (await Json(await Internal(host, HttpMethod.Get, "audit?tenant=" + tenant)))["data"]!
                .AsArray()
                .Select(e => (string?)e!["action"]),
        ];

    private static async Task<string?> PlanOf(PartnerHost host) =>
        (string?)(await Json(await Get(host, "/v1/account", InitechKey)))["plan"]!["name"];
}
