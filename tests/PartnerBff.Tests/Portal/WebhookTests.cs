using Bff.BrowserKit;
using Microsoft.AspNetCore.Http;
using Microsoft.Playwright;
using PartnerBff.Tests.Webhooks;
using static Microsoft.Playwright.Assertions;

namespace PartnerBff.Tests.Portal;

/// <summary>Management of webhooks at the portal.</summary>
public sealed class WebhookTests(SharedSurroundings surroundings) : PortalTest(surroundings)
{
    private static readonly Dictionary<string, string?> Loopback = new() { ["Webhooks:AllowPrivateNetworks"] = "true" };

    [ChromiumFact]
    public async Task An_endpoint_is_added_tested_resent_to_rotated_disabled_and_deleted()
    {
        await using var receiver = await Receiver.Start();
        receiver.Answer = static (_, context) =>
        {
            context.Response.StatusCode = 500;
            return context.Response.WriteAsync("out of paper");
        };
        var host = StartPortal(new(Loopback) { ["Webhooks:Schedule:0"] = "00:00:00" });
        await using var chromium = await Chromium.Start(host);
        var page = chromium.Page;
        await chromium.SignIn("/portal", "Carol");
        await page.GetByRole(AriaRole.Link, new() { Name = "Webhooks" }).ClickAsync();
        await chromium.Picture("webhooks-empty");
        await page.GetByRole(AriaRole.Link, new() { Name = "Add endpoint" }).ClickAsync();
        await page.GetByLabel("Address").FillAsync(receiver.Url + "/hooks");
        await chromium.Picture("webhook-new");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add endpoint" }).ClickAsync();
        var secret = await page.GetByLabel("Signing secret").InputValueAsync();
        Assert.StartsWith("whsec_", secret, StringComparison.Ordinal);
        await page.GetByRole(AriaRole.Link, new() { Name = "Go to the endpoint" }).ClickAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = "Send a test" }).ClickAsync();
        await Shows(page, "failed");
        await page.Locator("summary", new() { HasText = "last: 500" }).ClickAsync();
        await Expect(page.Locator(".attempts pre")).ToHaveTextAsync("out of paper");
        await chromium.Picture("webhook");
        var first = Assert.Single(receiver.All);
        Assert.True(WebhookTest.Verifies(first, secret));

        receiver.Answer = static (_, context) =>
        {
            context.Response.StatusCode = 204;
            return Task.CompletedTask;
        };
        await page.GetByRole(AriaRole.Button, new() { Name = "Resend" }).ClickAsync();
        await Shows(page, "delivered");
        Assert.Equal(first.Id, receiver.All.Last().Id);

        await page.Locator("summary", new() { HasText = "Rotate secret" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Rotate now" }).ClickAsync();
        var next = await page.GetByLabel("Signing secret").InputValueAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Go to the endpoint" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Resend" }).ClickAsync();
        await Eventually.True(() => receiver.All.Count == 3, WaitLimit);
        Assert.True(WebhookTest.Verifies(receiver.All.Last(), secret) && WebhookTest.Verifies(receiver.All.Last(), next));

        await page.GetByRole(AriaRole.Button, new() { Name = "Disable" }).ClickAsync();
        await Expect(page.Locator(".badge.off")).ToHaveTextAsync("Disabled");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Send a test" })).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Link, new() { Name = "All endpoints" }).ClickAsync();
        await chromium.Picture("webhooks");
        await page.Locator("tr[data-endpoint] a").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Enable" }).ClickAsync();
        await Expect(page.Locator(".badge.on")).ToHaveTextAsync("Enabled");
        await page.Locator("summary", new() { HasText = "Delete" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete endpoint" }).ClickAsync();
        await Expect(page.Locator("tr[data-endpoint]")).ToHaveCountAsync(0);
        Assert.Empty(chromium.Complaints);
    }

    [ChromiumFact]
    public async Task A_pending_delivery_is_marked_like_the_others_and_every_dialog_fits_a_phone()
    {
        await using var receiver = await Receiver.Start();
        receiver.Answer = static (_, context) =>
        {
            context.Response.StatusCode = 500;
            return Task.CompletedTask;
        };
        var host = StartPortal(new(Loopback) { ["Webhooks:Schedule:0"] = "00:00:00", ["Webhooks:Schedule:1"] = "01:00:00" });
        await using var chromium = await Chromium.Start(host);
        var page = chromium.Page;
        await chromium.SignIn("/portal/webhooks/new", "Carol");
        await page.GetByLabel("Address").FillAsync(receiver.Url + "/hooks");
        await page.GetByRole(AriaRole.Button, new() { Name = "Add endpoint" }).ClickAsync();
        await chromium.Picture("webhook-made");
        await page.GetByRole(AriaRole.Link, new() { Name = "Go to the endpoint" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Send a test" }).ClickAsync();
        await Shows(page, "pending");
        await Expect(page.Locator(".badge.pending")).ToHaveCSSAsync("display", "inline-block");
        await chromium.Picture("webhook-pending");

        foreach (var next in (string[])["Disable", "Enable"])
        {
            foreach (var question in (string[])["Rotate secret", "Delete"])
            {
                await page.Locator("summary", new() { HasText = question }).ClickAsync();
                await chromium.HasNoBarriers();
                await chromium.Picture($"webhook-{question.ToLowerInvariant().Replace(' ', '-')}-{next.ToLowerInvariant()}");
            }

            await page.GetByRole(AriaRole.Button, new() { Name = next }).ClickAsync();
        }
    }

    [Fact]
    public async Task Another_tenants_endpoint_and_deliveries_are_not_there()
    {
        await using var receiver = await Receiver.Start();
        var host = StartPortal(Loopback);
        var (carol, dave) = (await SignedIn(host), await SignedIn(host, "dave"));
        var (ours, theirs) = (await carol.Token(), await dave.Token());
        await Page(await carol.Post("/portal/webhooks", ours, ("url", receiver.Url), ("types", "*"), ("mode", "live")));
        var id = One(await Page(await carol.Get("/portal/webhooks")), "data-endpoint=\"(we_[^\"]+)\"");
        using var tested = await carol.Post($"/portal/webhooks/{id}/test", ours);
        Assert.Equal($"/portal/webhooks/{id}?done=tested", tested.Headers.Location!.OriginalString);
        var delivery = One(await Page(await carol.Get("/portal/webhooks/" + id)), "data-delivery=\"(msg_[^\"]+)\"");

        Assert.DoesNotContain(id, await Page(await dave.Get("/portal/webhooks")), StringComparison.Ordinal);
        await Page(await dave.Get("/portal/webhooks/" + id), 404);
        foreach (var action in (string[])["test", "enabled", "rotate-secret", "delete"])
        {
            await Page(await dave.Post($"/portal/webhooks/{id}/{action}", theirs), 404);
        }

        await Page(await dave.Post($"/portal/deliveries/{delivery}/resend", theirs), 404);
        await Page(await carol.Get("/portal/webhooks/" + id));
    }

    [Fact]
    public async Task Deliveries_are_paged_in_both_directions()
    {
        await using var receiver = await Receiver.Start();
        var host = StartPortal(Loopback);
        var carol = await SignedIn(host);
        var token = await carol.Token();
        await Page(await carol.Post("/portal/webhooks", token, ("url", receiver.Url), ("types", "*"), ("mode", "live")));
        var id = One(await Page(await carol.Get("/portal/webhooks")), "data-endpoint=\"(we_[^\"]+)\"");
        for (var i = 0; i < 26; i++)
        {
            using var tested = await carol.Post($"/portal/webhooks/{id}/test", token);
            Assert.Equal(HttpStatusCode.SeeOther, tested.StatusCode);
        }

        var first = await Page(await carol.Get("/portal/webhooks/" + id));
        Assert.DoesNotContain("Newer deliveries", first, StringComparison.Ordinal);
        var second = await Page(await carol.Get(One(first, "href=\"([^\"]+)\">Older deliveries")));
        Assert.DoesNotContain("Older deliveries", second, StringComparison.Ordinal);
        var back = await Page(await carol.Get(One(second, "href=\"([^\"]+)\">Newer deliveries")));

        Assert.Equal(Deliveries(first), Deliveries(back));
        Assert.Equal(26, Deliveries(first).Union(Deliveries(second)).Count());
    }

    [Theory]
    [InlineData("ftp://example.com", "*")]
    [InlineData("http://127.0.0.1/x", "*")]
    [InlineData("https://example.com", "order/shipped")]
    public async Task An_invalid_address_or_type_comes_back_with_an_error(string url, string types)
    {
        var host = StartPortal();
        var carol = await SignedIn(host);

        var page = await Page(
            await carol.Post("/portal/webhooks", await carol.Token(), ("url", url), ("types", types), ("mode", "live")),
            422
        );

        Assert.Contains("class=\"error\"", page, StringComparison.Ordinal);
    }

    private static async Task Shows(IPage page, string status) =>
        await Eventually.True(
            async () =>
            {
                await page.GotoAsync(page.Url);
                return await page.Locator($"tr[data-status={status}]").CountAsync() == 1;
            },
            WaitLimit
        );

    private static List<string> Deliveries(string page) => All(page, "data-delivery=\"(msg_[^\"]+)\"");

    private static string One(string page, string pattern) => Assert.Single(All(page, pattern));
}
