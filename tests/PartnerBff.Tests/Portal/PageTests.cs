using Bff.BrowserKit;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace PartnerBff.Tests.Portal;

/// <summary>Usage, requests, plans and the documentation, in a real browser.</summary>
public sealed class PageTests(SharedSurroundings surroundings) : PortalTest(surroundings)
{
    [ChromiumFact]
    public async Task The_chart_and_the_request_log_show_the_calls_just_made()
    {
        var host = StartPortal();
        string? id = null;
        for (var i = 0; i < 7; i++)
        {
            using var answer = await Get(host, i < 5 ? "/v1/products?limit=1" : "/v1/orders/none", AcmeKey);
            id = answer.Headers.GetValues("X-Request-Id").Single();
        }

        await WaitForRequests(host, "acme", 7);
        await using var chromium = await Chromium.Start(host);
        var page = chromium.Page;
        await chromium.SignIn("/portal", "Carol");

        await Expect(page.Locator("[data-figure=today]")).ToHaveTextAsync("7");
        await Expect(page.Locator(".chart svg")).ToHaveAttributeAsync("aria-label", "Requests per day; 7 in 30 days");
        await Expect(page.Locator(".chart svg rect.ok")).ToHaveCountAsync(1);
        await Expect(page.Locator(".chart svg rect.refused")).ToHaveCountAsync(1);
        await Expect(page.Locator(".chart tbody tr").First.Locator("td").First).ToHaveTextAsync("5", new() { UseInnerText = false });
        await chromium.Picture("overview");

        await page.GetByRole(AriaRole.Link, new() { Name = "Requests", Exact = true }).ClickAsync();
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(7);
        await chromium.Picture("requests");
        await page.GetByLabel("Request id").FillAsync(id!);
        await page.GetByRole(AriaRole.Button, new() { Name = "Find" }).ClickAsync();
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(1);
        await Expect(page.Locator("tbody tr")).ToContainTextAsync("GET /v1/orders/{id}");
        await Expect(page.Locator("tbody tr")).ToContainTextAsync("404");
        await page.GetByRole(AriaRole.Link, new() { Name = "Test" }).ClickAsync();
        await Expect(page.Locator("h2")).ToHaveTextAsync("No test requests yet");
        await chromium.Picture("requests-empty");
        Assert.Empty(chromium.Complaints);
    }

    [Theory]
    [InlineData("/docs")]
    [InlineData("/docs?version=v2")]
    [InlineData("/docs/agents")]
    public async Task The_documentations_sign_in_leads_back_to_the_page_that_was_read(string path)
    {
        var page = await StartPortal().Client.GetStringAsync(path);

        Assert.Contains($"href=\"/portal/login?returnUrl={Uri.EscapeDataString(path)}\"", page, StringComparison.Ordinal);
    }

    [ChromiumFact]
    public async Task The_documentation_is_tried_with_the_sessions_own_test_key()
    {
        var host = StartPortal();
        await using var chromium = await Chromium.Start(host);
        var page = chromium.Page;
        await page.GotoAsync("/docs");
        await Expect(page.GetByText("Sign in to the portal to try every call")).ToBeVisibleAsync();
        await chromium.SignIn("/portal", "Carol");
        await page.GetByRole(AriaRole.Link, new() { Name = "Documentation" }).ClickAsync();
        await Expect(page.Locator("html[data-docs=ready]")).ToHaveCountAsync(1);
        var key = await page.GetByLabel("Test key", new() { Exact = true }).InputValueAsync();
        Assert.True(ApiKeyFormat.IsValid(key) && ApiKeyFormat.IsTest(key));
        await chromium.Picture("docs");

        await page.Locator(".opblock-summary", new() { HasText = "/v1/account" }).First.ClickAsync();
        await page.Locator("button.execute").First.ClickAsync();
        await Expect(page.Locator(".live-responses-table tbody .response-col_status").First).ToContainTextAsync("200");
        await Expect(page.Locator(".live-responses-table").First).ToContainTextAsync("\"test\"");
        await chromium.Picture("docs-tried");

        await page.ReloadAsync();
        Assert.Equal(key, await page.GetByLabel("Test key", new() { Exact = true }).InputValueAsync());
        await Problem(await Get(host, "/v1/api-keys", key), 403, "insufficient_scope");
        Assert.Empty(chromium.Complaints);
    }

    [ChromiumFact]
    public async Task Connecting_an_agent_is_shown_with_the_sessions_own_test_key()
    {
        var host = StartPortal();
        await using var chromium = await Chromium.Start(host);
        var page = chromium.Page;
        await page.GotoAsync("/docs/agents");
        await Expect(page.GetByText("Sign in to the portal to get a test key")).ToBeVisibleAsync();
        await Expect(page.Locator("pre").First).ToContainTextAsync("Bearer $API_KEY");
        await chromium.SignIn("/portal", "Carol");
        await page.GetByRole(AriaRole.Link, new() { Name = "Agents" }).ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Connect an agent");
        var key = await page.GetByLabel("Test key", new() { Exact = true }).InputValueAsync();
        Assert.True(ApiKeyFormat.IsValid(key) && ApiKeyFormat.IsTest(key));
        await chromium.Picture("agents");

        // The settings that the page shows work.
        var address = await page.GetByLabel("Address").InputValueAsync();
        var file = JsonNode.Parse(await page.Locator("pre").First.InnerTextAsync())!["mcpServers"]!["partner-api"]!;
        Assert.Equal((address, $"Bearer {key}"), ((string)file["url"]!, (string)file["headers"]!["Authorization"]!));
        var curl = await page.Locator("pre").Last.InnerTextAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, address)
        {
            Content = new StringContent(curl.Split('\'')[1], new MediaTypeHeaderValue("application/json")),
        };
        request.Headers.TryAddWithoutValidation("Authorization", (string)file["headers"]!["Authorization"]!);
        request.Headers.TryAddWithoutValidation("Accept", "application/json, text/event-stream");
        using var answer = await host.Client.SendAsync(request);
        Assert.Contains("\"isError\":false", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        await page.GetByRole(AriaRole.Link, new() { Name = "v1" }).ClickAsync();
        Assert.Equal(key, await page.GetByLabel("Test key", new() { Exact = true }).InputValueAsync());
        Assert.Empty(chromium.Complaints);
    }

    [ChromiumFact]
    public async Task Without_scripts_the_quota_is_shown_and_a_requested_plan_is_pending_until_withdrawn()
    {
        var host = StartPortal();
        await using var chromium = await Chromium.Start(host, scripts: false);
        var page = chromium.Page;
        await chromium.SignIn("/portal", "Dave");
        await page.GotoAsync("/portal/keys/new");
        await page.GetByLabel("Name").FillAsync("Stock check");
        await page.GetByRole(AriaRole.Radio, new() { NameRegex = new("Live") }).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Create key" }).ClickAsync();
        using var called = await Get(host, "/v1/products?limit=1", await page.GetByLabel("API key").InputValueAsync());
        await page.GotoAsync("/portal");
        await Expect(page.Locator(".meters li")).ToContainTextAsync("1 of 10\u202f000");
        await chromium.Picture("overview-free");
        await page.GetByRole(AriaRole.Link, new() { Name = "Plan", Exact = true }).ClickAsync();
        await Expect(page.Locator(".offer.current h2")).ToContainTextAsync("free");
        await page.GetByRole(AriaRole.Button, new() { Name = "Request pro" }).ClickAsync();

        await Expect(page.Locator("[data-pending=pro]")).ToContainTextAsync("pending");
        await chromium.Picture("plan");
        await page.GetByRole(AriaRole.Button, new() { Name = "Withdraw" }).ClickAsync();
        await Expect(page.Locator("[data-pending]")).ToHaveCountAsync(0);
    }

    [RedisFact]
    public async Task Every_instance_shows_the_same_requests_and_pending_plan()
    {
        var redis = StartRedis();
        var (one, other) = (StartPortal(redis: redis), StartPortal(redis: redis));
        await Connected(one);
        await Connected(other);
        var carol = await SignedIn(one);
        using var called = await Get(one, "/v1/products?limit=1", AcmeKey);
        await WaitForRequests(one, "acme", 1);
        Assert.Contains(
            called.Headers.GetValues("X-Request-Id").Single(),
            await Page(await carol.Get("/portal/requests")),
            StringComparison.Ordinal
        );
        using var wished = await carol.Post("/portal/plan", await carol.Token(), ("plan", "pro"));
        Assert.Equal(HttpStatusCode.SeeOther, wished.StatusCode);

        carol.Http.Dispose();
        var again = await SignedIn(other);

        Assert.Contains(
            called.Headers.GetValues("X-Request-Id").Single(),
            await Page(await again.Get("/portal/requests")),
            StringComparison.Ordinal
        );
        Assert.Contains("data-pending=\"pro\"", await Page(await again.Get("/portal/plan")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_tenants_request_is_not_found()
    {
        var host = StartPortal();
        using var called = await Get(host, "/v1/products?limit=1", AcmeKey);
        var id = called.Headers.GetValues("X-Request-Id").Single();
        await WaitForRequests(host, "acme", 1);
        var (carol, dave) = (await SignedIn(host), await SignedIn(host, "dave"));

        Assert.Contains("/v1/products", await Page(await carol.Get("/portal/requests?id=" + id)), StringComparison.Ordinal);
        Assert.Contains("No such request", await Page(await dave.Get("/portal/requests?id=" + id)), StringComparison.Ordinal);
    }

    [ChromiumFact]
    public async Task Pages_have_no_barriers_that_axe_knows()
    {
        var host = StartPortal();
        using var called = await Get(host, "/v1/products?limit=1", AcmeKey);
        await using var chromium = await Chromium.Start(host);
        var page = chromium.Page;
        await chromium.SignIn("/portal", "Carol");
        var endpoint = await AddKeyAndEndpoint(page);
        foreach (
            var path in (string[])
                [
                    "/",
                    "/portal",
                    "/portal/keys",
                    "/portal/keys/new",
                    "/portal/requests",
                    "/portal/plan",
                    "/portal/activity",
                    "/portal/webhooks",
                    "/portal/webhooks/new",
                    endpoint,
                    "/portal/webhooks/none",
                    "/docs",
                    "/docs/agents",
                ]
        )
        {
            await page.GotoAsync(path);
            if (path == "/docs")
            {
                await Expect(page.Locator("html[data-docs=ready]")).ToHaveCountAsync(1);
            }

            await chromium.HasNoBarriers(except: "#swagger"); // The markup inside Swagger UI is not ours.
        }
    }

    [ChromiumFact]
    public async Task Names_and_notes_without_a_place_to_break_stay_in_the_window()
    {
        var host = StartPortal();
        await using var chromium = await Chromium.Start(host);
        var page = chromium.Page;
        await chromium.SignIn("/portal/keys/new", "Carol");
        await page.GetByLabel("Name").FillAsync(new string('W', 100));
        await page.GetByRole(AriaRole.Button, new() { Name = "Create key" }).ClickAsync();
        await chromium.HasNoBarriers();
        var key = await page.GetByLabel("API key").InputValueAsync();
        using var called = await Get(host, "/v1/products?limit=1", key);
        await WaitForRequests(host, "acme:test", 1);

        await page.GotoAsync("/portal/requests?mode=test");
        await Expect(page.Locator("tbody tr")).ToHaveCountAsync(1);
        await chromium.HasNoBarriers();

        await page.GotoAsync("/portal/webhooks/new");
        await page.GetByLabel("Address").FillAsync("https://example.com/hooks");
        await page.GetByLabel("Note").FillAsync(new string('W', 500));
        await page.GetByRole(AriaRole.Button, new() { Name = "Add endpoint" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Go to the endpoint" }).ClickAsync();
        await Expect(page.Locator("[data-endpoint]")).ToBeVisibleAsync();
        await chromium.HasNoBarriers();
    }

    private static async Task<string> AddKeyAndEndpoint(IPage page)
    {
        await page.GotoAsync("/portal/keys/new");
        await page.GetByLabel("Name").FillAsync("A key with a rather long name, for the sake of narrow screens");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create key" }).ClickAsync();
        await page.GotoAsync("/portal/webhooks/new");
        await page.GetByLabel("Address").FillAsync("https://example.com/a/rather/long/address/for/the/sake/of/narrow/screens");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add endpoint" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Go to the endpoint" }).ClickAsync();
        return new Uri(page.Url).AbsolutePath;
    }
}
