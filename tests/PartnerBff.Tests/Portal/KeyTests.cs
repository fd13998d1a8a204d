using Bff.BrowserKit;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace PartnerBff.Tests.Portal;

/// <summary>Management of keys at the portal.</summary>
public sealed class KeyTests(SharedSurroundings surroundings) : PortalTest(surroundings)
{
    /// <summary>The second answer would take the place of the first, and with it the only sight of a key.</summary>
    [ChromiumFact]
    public async Task A_form_is_sent_once_until_its_page_is_shown_again()
    {
        await using var chromium = await Chromium.Start(StartPortal());
        await chromium.SignIn("/portal/keys/new", "Carol");
        await chromium.Page.GetByLabel("Name").FillAsync("Warehouse sync");

        var sent = await chromium.Page.EvaluateAsync<int[]>(
            """
            () => {
              const form = document.querySelector("form.card");
              let sent = 0;
              addEventListener("submit", event => { if (!event.defaultPrevented) sent++; event.preventDefault(); });
              form.requestSubmit();
              form.requestSubmit();
              const before = sent;
              dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
              form.requestSubmit();
              return [before, sent];
            }
            """
        );

        Assert.Equal([1, 2], sent);
        Assert.Empty(chromium.Complaints);
    }

    [ChromiumFact]
    public async Task A_key_is_created_copied_used_rotated_and_revoked()
    {
        var host = StartPortal();
        await using var chromium = await Chromium.Start(host);
        var page = chromium.Page;
        await chromium.SignIn("/portal", "Carol");
        await chromium.Picture("overview-empty");
        await page.GetByRole(AriaRole.Link, new() { Name = "API keys" }).ClickAsync();
        await chromium.Picture("keys-empty");
        await page.GetByRole(AriaRole.Link, new() { Name = "Create your first key" }).ClickAsync();
        await chromium.Picture("key-new");
        await page.GetByLabel("Name").FillAsync("Warehouse sync");
        await page.GetByRole(AriaRole.Radio, new() { NameRegex = new("Live") }).CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Create key" }).ClickAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Copy" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Copied" })).ToBeVisibleAsync();
        var key = await page.GetByLabel("API key").InputValueAsync();
        Assert.Equal(key, await page.EvaluateAsync<string>("navigator.clipboard.readText()"));
        Assert.True(ApiKeyFormat.IsValid(key));
        await chromium.Picture("key-made");
        Assert.Equal(HttpStatusCode.OK, (await Get(host, "/v1/products/p-1", key)).StatusCode);
        await Problem(await Get(host, "/v1/account", key), 403, "insufficient_scope");

        await page.GetByRole(AriaRole.Link, new() { Name = "Done" }).ClickAsync();
        await Expect(page.Locator("tr[data-key]")).ToHaveCountAsync(1);
        Assert.DoesNotContain(key, await page.ContentAsync(), StringComparison.Ordinal);
        await page.Locator("summary", new() { HasText = "Rotate" }).ClickAsync();
        await chromium.Picture("keys-rotate");
        await page.GetByLabel("Overlap").SelectOptionAsync("0");
        await page.GetByRole(AriaRole.Button, new() { Name = "Rotate key" }).ClickAsync();
        var next = await page.GetByLabel("API key").InputValueAsync();
        Assert.NotEqual(key, next);
        await Expect(page.Locator(".warn")).ToHaveTextAsync("The key that it replaces has expired.");
        await chromium.Picture("key-rotated");
        await Problem(await Get(host, "/v1/products/p-1", key), 401, "invalid_api_key");
        Assert.Equal(HttpStatusCode.OK, (await Get(host, "/v1/products/p-1", next)).StatusCode);

        await page.GetByRole(AriaRole.Link, new() { Name = "Done" }).ClickAsync();
        await page.Locator("summary", new() { HasText = "Revoke" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Revoke key" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("revoked");
        await Problem(await Get(host, "/v1/products/p-1", next), 401, "invalid_api_key");
        await chromium.Picture("keys-revoked");
        Assert.Empty(chromium.Complaints);
    }

    [Fact]
    public async Task Without_scripts_everything_but_copying_works()
    {
        var host = StartPortal();
        var carol = await SignedIn(host);
        var token = await carol.Token();

        var made = await Page(
            await carol.Post(
                "/portal/keys",
                token,
                ("name", "Plain <b>"),
                ("mode", "test"),
                ("scopes", "products.read"),
                ("scopes", "orders.read"),
                ("expiry", "30")
            )
        );

        var key = System.Text.RegularExpressions.Regex.Match(made, "pk_test_[0-9A-Za-z]{38}").Value;
        Assert.Equal(HttpStatusCode.OK, (await Get(host, "/v1/products/p-1", key)).StatusCode);
        Assert.DoesNotContain("<b>", made, StringComparison.Ordinal);
        var id = Ids(await Page(await carol.Get("/portal/keys"))).Single();
        using var revoked = await carol.Post($"/portal/keys/{id}/revoke", token);
        Assert.Equal(HttpStatusCode.SeeOther, revoked.StatusCode);
        await Problem(await Get(host, "/v1/products/p-1", key), 401, "invalid_api_key");
    }

    [RedisFact]
    public async Task A_key_revoked_at_the_portal_of_one_host_is_refused_by_all_within_a_second()
    {
        var redis = StartRedis();
        var (one, two) = (StartPortal(redis: redis), StartPortal(redis: redis));
        await Connected(one);
        await Connected(two);
        var carol = await SignedIn(one);
        var made = await Page(
            await carol.Post(
                "/portal/keys",
                await carol.Token(),
                ("name", "Leaked"),
                ("mode", "live"),
                ("scopes", "products.read"),
                ("expiry", "")
            )
        );
        var key = System.Text.RegularExpressions.Regex.Match(made, "pk_live_[0-9A-Za-z]{38}").Value;
        await Json(await Get(one, "/v1/products/p-1", key));
        await Json(await Get(two, "/v1/products/p-1", key)); // Both hosts remember the key now.
        var id = Ids(await Page(await carol.Get("/portal/keys"))).Single();

        var token = await carol.Token();

        await IsRefusedWithinOneSecond(
            "/v1/products/p-1",
            key,
            id,
            async () =>
            {
                using var revoked = await carol.Post($"/portal/keys/{id}/revoke", token);
                Assert.Equal("/portal/keys?done=revoked", revoked.Headers.Location?.OriginalString);
            },
            one,
            two
        );
    }

    [Theory]
    [InlineData("", "live", "orders.read", "")]
    [InlineData("Name", "both", "orders.read", "")]
    [InlineData("Name", "live", "everything", "")]
    [InlineData("Name", "live", "orders.read", "-1")]
    public async Task An_invalid_form_comes_back_with_its_errors(string name, string mode, string scope, string expiry)
    {
        var host = StartPortal();
        var carol = await SignedIn(host);

        var page = await Page(
            await carol.Post("/portal/keys", await carol.Token(), ("name", name), ("mode", mode), ("scopes", scope), ("expiry", expiry)),
            422
        );

        Assert.Contains("class=\"error\"", page, StringComparison.Ordinal);
        Assert.Empty(Ids(await Page(await carol.Get("/portal/keys"))));
    }

    [Fact]
    public async Task Another_tenants_key_is_not_there()
    {
        var host = StartPortal();
        var (carol, dave) = (await SignedIn(host), await SignedIn(host, "dave"));
        var made = await Page(
            await carol.Post(
                "/portal/keys",
                await carol.Token(),
                ("name", "Ours"),
                ("mode", "live"),
                ("scopes", "products.read"),
                ("expiry", "")
            )
        );
        var key = System.Text.RegularExpressions.Regex.Match(made, "pk_live_[0-9A-Za-z]{38}").Value;
        var id = Ids(await Page(await carol.Get("/portal/keys"))).Single();

        Assert.Empty(Ids(await Page(await dave.Get("/portal/keys"))));
        var token = await dave.Token();
        await Page(await dave.Post($"/portal/keys/{id}/revoke", token), 404);
        await Page(await dave.Post($"/portal/keys/{id}/rotate", token), 404);

        Assert.Equal(HttpStatusCode.OK, (await Get(host, "/v1/products/p-1", key)).StatusCode);
    }

    private static List<string> Ids(string page) => All(page, "data-key=\"(key_[^\"]+)\"");
}
