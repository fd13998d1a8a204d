using Bff.BrowserKit;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace PartnerBff.Tests.Portal;

/// <summary>
/// A page that has been open for longer than its session. Chromium holds a form back whose answer redirects to another origin, as the
/// sign-in does (Content Security Policy, <c>form-action</c>): its user would see nothing happen.
/// </summary>
public sealed class EndedSessionTests(SharedSurroundings surroundings) : PortalTest(surroundings)
{
    [ChromiumFact]
    public async Task A_form_says_that_it_is_lost_and_leads_to_the_sign_in()
    {
        await using var chromium = await Chromium.Start(StartPortal());
        await chromium.SignIn("/portal/keys/new", "Carol");
        await chromium.Page.GetByLabel("Name").FillAsync("Warehouse sync");
        await chromium.Page.Context.ClearCookiesAsync();

        await chromium.Page.GetByRole(AriaRole.Button, new() { Name = "Create key" }).ClickAsync();
        await Expect(chromium.Page.Locator("h1")).ToHaveTextAsync("Your session has ended");
        await chromium.HasNoBarriers();
        await chromium.Page.GetByRole(AriaRole.Link, new() { Name = "Sign in" }).ClickAsync();
        await chromium.Choose("Carol");

        await Expect(chromium.Page.Locator("h1")).ToHaveTextAsync("Overview");
        Assert.Empty(chromium.Complaints);
    }

    [ChromiumFact]
    public async Task A_search_goes_on_after_the_sign_in()
    {
        await using var chromium = await Chromium.Start(StartPortal());
        await chromium.SignIn("/portal/requests", "Carol");
        var field = chromium.Page.GetByLabel("Request id");
        await field.FillAsync("none-such");
        await chromium.Page.Context.ClearCookiesAsync();

        await field.PressAsync("Enter");
        await chromium.Choose("Carol");

        Assert.Equal("none-such", await field.InputValueAsync());
        Assert.Empty(chromium.Complaints);
    }

    [Fact]
    public async Task A_form_of_nobody_changes_nothing()
    {
        var nobody = new Person(StartPortal());

        using var answer = await nobody.Post("/portal/keys", "x", ("name", "Made"), ("mode", "live"), ("scopes", "orders.read"));

        Assert.Contains("href=\"/portal/login?returnUrl=%2Fportal\"", await Page(answer, 403), StringComparison.Ordinal);
    }
}
