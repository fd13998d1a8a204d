using System.Text;
using System.Text.RegularExpressions;
using Bff.BrowserKit;
using Bff.Events;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace WebBff.Tests.Spa;

/// <summary>Runs the sample app in a real browser with all services.</summary>
public sealed class SpaTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    [ChromiumFact]
    public async Task A_user_signs_in_sees_a_page_without_a_part_receives_events_and_signs_out()
    {
        var host = Start();
        await using var chromium = await Chromium.Start(host);
        var page = chromium.Page;

        var before = Surroundings.Identity.SessionsOf("u-1001").ToList();
        await page.GotoAsync("/");
        await chromium.Picture("welcome");
        await page.Locator("main a.primary").ClickAsync();
        await chromium.Choose("Alice");
        await Expect(page.Locator("main h1")).ToHaveTextAsync("Good to see you, Alice");
        await Expect(page.Locator(".waterfall li")).ToHaveCountAsync(5);
        await Expect(page.Locator("#connection")).ToHaveTextAsync("connected");
        await chromium.Picture("dashboard");

        await page.Locator("select").SelectOptionAsync("pricing");
        await page.Locator("[data-mode=error]").ClickAsync();
        await Expect(page.Locator("[data-mode=error]")).ToHaveAttributeAsync("aria-pressed", "true");
        await page.GotoAsync("/#/products/p-1");
        await Expect(page.Locator("main h1")).ToHaveTextAsync("Trail Shoe");
        await Expect(page.Locator("[data-part=price] .badge")).ToHaveAttributeAsync("data-status", "failed");
        await Expect(page.Locator("[data-part=price] .missing")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-part=reviews] .badge")).ToHaveAttributeAsync("data-status", "live");
        await chromium.Picture("product-degraded");

        await host
            .Services.GetRequiredService<IEventLog>()
            .Append(
                [
                    new NewEvent(
                        new EventHead
                        {
                            Source = "/tests",
                            SourceId = "1",
                            Type = "order.shipped",
                            User = "u-1001",
                        },
                        Encoding.UTF8.GetBytes("""{"orderId":"o-1"}""")
                    ),
                ],
                CancellationToken.None
            );
        await Expect(page.Locator(".events li b").First).ToHaveTextAsync("order.shipped");

        await page.Locator("[data-mode=heal]").ClickAsync();
        await Expect(page.Locator("[data-part=price] .price")).ToBeVisibleAsync();
        await page.Locator("nav a", new() { HasText = "Sessions" }).ClickAsync();
        await Expect(page.Locator("main .rows li")).ToHaveCountAsync(1);
        await chromium.Picture("sessions");
        Assert.Equal("", await page.EvaluateAsync<string>("document.cookie"));

        await page.Locator("#sign-out").ClickAsync();
        await Expect(page.Locator("main h1")).ToHaveTextAsync("Things for long days outside");
        Assert.Equal(before, Surroundings.Identity.SessionsOf("u-1001"));
        Assert.Empty(chromium.Complaints);
    }

    [ChromiumFact]
    public async Task The_parts_of_a_page_appear_as_they_arrive_and_the_focus_stays()
    {
        await using var chromium = await Chromium.Start(Start());
        var page = chromium.Page;
        await chromium.SignIn("/bff/login", "Alice");
        await Expect(page.Locator("[data-part=orders] .rows li")).ToHaveCountAsync(5);

        var reviews = Upstream.Reviews.Faults.Hold();
        await page.GotoAsync("/#/products/p-1");
        await Expect(page.Locator("main h1")).ToHaveTextAsync("Trail Shoe");
        await Expect(page.Locator("[data-part=price] .price")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-part=reviews] .coming")).ToBeVisibleAsync();
        var order = page.GetByRole(AriaRole.Button, new() { Name = "Order one" });
        await Expect(order).ToBeEnabledAsync();
        await order.FocusAsync();
        reviews.Dispose();
        await Expect(page.Locator("[data-part=reviews] .stars")).ToBeVisibleAsync();
        await Expect(page.Locator(".coming")).ToHaveCountAsync(0);
        await Expect(order).ToBeFocusedAsync();

        var orders = Upstream.Orders.Faults.Hold();
        Upstream.Notifications.Faults.Set(FaultMode.Garbage);
        await page.Locator("nav a").First.ClickAsync();
        await Expect(page.Locator("main h1")).ToHaveTextAsync("Good to see you, Alice");
        await Expect(page.Locator("[data-part=notifications] .missing")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-part=orders] .coming")).ToBeVisibleAsync();
        orders.Dispose();
        await Expect(page.Locator("[data-part=orders] .rows li")).ToHaveCountAsync(5);
        await Expect(page.Locator(".waterfall li")).ToHaveCountAsync(5);
        Assert.Empty(chromium.Complaints);
    }

    [ChromiumFact]
    public async Task The_first_page_writes_no_error_into_the_console()
    {
        await using var chromium = await Chromium.Start(Start(new() { ["Session:AnonymousUser"] = "Null" }));
        var messages = new List<string>();
        chromium.Page.Console += (_, message) => messages.Add($"{message.Type}: {message.Text}");

        await chromium.Page.GotoAsync("/");

        await Expect(chromium.Page.Locator("main h1")).ToHaveTextAsync("Things for long days outside");
        Assert.Empty(messages);
    }

    [ChromiumFact]
    public async Task A_failure_is_shown_beside_its_button_and_an_ended_session_leads_to_the_sign_in()
    {
        var host = Start();
        await using var chromium = await Chromium.Start(host);
        var page = chromium.Page;
        await chromium.SignIn("/bff/login", "Alice");
        await Expect(page.Locator("#connection")).ToHaveTextAsync("connected");
        await page.GotoAsync("/#/products/p-1");
        Upstream.Orders.Faults.Set(FaultMode.Garbage);
        var order = page.GetByRole(AriaRole.Button, new() { Name = "Order one" });
        await order.ClickAsync();
        await Expect(page.Locator("button + [role=alert]")).Not.ToBeEmptyAsync();
        await Expect(order).ToBeEnabledAsync();
        await Expect(order).ToBeFocusedAsync();
        Upstream.Orders.Faults.Heal();
        await order.ClickAsync();
        await Expect(page.Locator("main h1")).ToHaveTextAsync(new Regex("^Order o-"));

        using var form = new FormUrlEncodedContent([
            KeyValuePair.Create("logout_token", Surroundings.Identity.CreateLogoutToken("web-bff", "u-1001", null)),
        ]);
        using var told = await host.Client.PostAsync("/bff/backchannel-logout", form);

        await Expect(page.Locator(".notice")).ToContainTextAsync("Your session has ended");
        Assert.Empty(chromium.Complaints);
    }

    [ChromiumFact]
    public async Task The_keyboard_skips_the_menu_and_lands_on_the_page_it_chose()
    {
        await using var chromium = await Chromium.Start(Start());
        var page = chromium.Page;
        await chromium.SignIn("/bff/login?returnUrl=/%23/products", "Alice");
        await Expect(page.Locator("main[data-page=products]")).ToBeVisibleAsync();

        await page.Keyboard.PressAsync("Tab");
        await Expect(page.Locator(".skip")).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("main")).ToBeFocusedAsync();
        Assert.EndsWith("#/products", page.Url, StringComparison.Ordinal);
        await Expect(page.Locator("nav [aria-current=page]")).ToHaveTextAsync("Products");

        var orders = page.Locator("nav a", new() { HasText = "Orders" });
        for (var i = 0; i < 10 && !await orders.EvaluateAsync<bool>("link => link === document.activeElement"); i++)
        {
            await page.Keyboard.PressAsync("Shift+Tab");
        }

        await Expect(orders).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("nav [aria-current=page]")).ToHaveTextAsync("Orders");
        await Expect(page.Locator("main[data-page=orders]")).ToBeFocusedAsync();
        Assert.Equal("Orders · Norrland", await page.TitleAsync());
    }

    [ChromiumFact]
    public async Task The_keyboard_keeps_its_place_while_a_service_is_broken()
    {
        await using var chromium = await Chromium.Start(Start());
        var page = chromium.Page;
        await chromium.SignIn("/bff/login?returnUrl=/%23/products", "Alice");
        await Expect(page.Locator("main[data-page=products]")).ToBeVisibleAsync();

        await page.Locator("select").FocusAsync();
        await page.Locator("select").SelectOptionAsync("reviews");
        await Expect(page.Locator("select")).ToBeFocusedAsync();
        await page.Locator("[data-mode=error]").FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.Locator("[data-mode=error]")).ToHaveAttributeAsync("aria-pressed", "true");
        await Expect(page.Locator("[data-mode=error]")).ToBeFocusedAsync();
    }

    [ChromiumFact]
    public async Task An_address_that_cannot_be_decoded_leads_to_no_page()
    {
        await using var chromium = await Chromium.Start(Start());
        await chromium.SignIn("/bff/login", "Alice");

        await chromium.Page.GotoAsync("/#/products/%");

        await Expect(chromium.Page.Locator("main h1")).ToHaveTextAsync("This page does not exist");
    }

    [ChromiumFact]
    public async Task Pages_have_no_barriers_that_axe_knows()
    {
        Upstream.Reviews.Faults.Set(FaultMode.Garbage);
        var host = Start();
        await using var chromium = await Chromium.Start(host);
        var page = chromium.Page;
        await page.GotoAsync("/");
        await Expect(page.Locator("main h1")).ToBeVisibleAsync();
        await chromium.HasNoBarriers();
        await chromium.SignIn("/bff/login", "Alice");

        foreach (var path in (string[])["", "products", "products/p-1", "products/p-none", "orders", "orders/o-6901", "sessions", "none"])
        {
            await page.GotoAsync("/#/" + path);
            await Expect(page.Locator($"main[data-page='{path}'] h1")).ToBeVisibleAsync();
            await chromium.HasNoBarriers();
            await chromium.Picture("app-" + (path.Length == 0 ? "overview" : path.Replace('/', '-')));
        }
    }
}
