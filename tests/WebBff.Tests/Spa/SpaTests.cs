using System.Text;
using Bff.Events;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;

namespace WebBff.Tests.Spa;

/// <summary>The sample app in a real browser, amid all services.</summary>
public sealed class SpaTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    [ChromiumFact]
    public async Task A_user_signs_in_sees_a_page_go_on_without_a_part_hears_of_events_and_signs_out()
    {
        var host = Start();
        using var playwright = await Playwright.CreateAsync();
        await using var chromium = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = ChromiumFactAttribute.Path, Args = ["--no-sandbox"] });
        var context = await chromium.NewContextAsync(new() { BaseURL = host.Address.OriginalString, ViewportSize = new() { Width = 1280, Height = 900 } });
        context.SetDefaultTimeout(60_000);
        var page = await context.NewPageAsync();
        var complaints = new List<string>();
        page.Console += (_, message) =>
        {
            if (message.Type == "error" && !message.Text.Contains("401", StringComparison.Ordinal))
            {
                complaints.Add(message.Text);
            }
        };
        page.PageError += (_, error) => complaints.Add(error);

        await page.GotoAsync("/");
        await Picture(page, "welcome");
        await page.Locator("main a.primary").ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { NameRegex = new("Alice") }).First.ClickAsync();
        await Expect(page.Locator("main h1")).ToHaveTextAsync("Good to see you, Alice");
        await Expect(page.Locator(".waterfall li")).ToHaveCountAsync(5);
        await Expect(page.Locator("#connection")).ToHaveTextAsync("connected");
        await Picture(page, "dashboard");

        await page.Locator("select").SelectOptionAsync("pricing");
        await page.Locator("[data-mode=error]").ClickAsync();
        await Expect(page.Locator("[data-mode=error]")).ToHaveAttributeAsync("aria-pressed", "true");
        await page.GotoAsync("/#/products/p-1");
        await Expect(page.Locator("main h1")).ToHaveTextAsync("Trail Shoe");
        await Expect(page.Locator("[data-part=price] .badge")).ToHaveAttributeAsync("data-status", "failed");
        await Expect(page.Locator("[data-part=price] .missing")).ToBeVisibleAsync();
        await Expect(page.Locator("[data-part=reviews] .badge")).ToHaveAttributeAsync("data-status", "live");
        await Picture(page, "product-degraded");

        await host.Services.GetRequiredService<IEventLog>().Append(
            [new NewEvent(new EventHead { Source = "/tests", SourceId = "1", Type = "order.shipped", User = "u-1001" }, Encoding.UTF8.GetBytes("""{"orderId":"o-1"}"""))],
            CancellationToken.None);
        await Expect(page.Locator(".events li b").First).ToHaveTextAsync("order.shipped");

        await page.Locator("[data-mode=heal]").ClickAsync();
        await Expect(page.Locator("[data-part=price] .price")).ToBeVisibleAsync();
        await page.Locator("nav a", new() { HasText = "Sessions" }).ClickAsync();
        await Expect(page.Locator("main .rows li")).ToHaveCountAsync(1);
        await Picture(page, "sessions");
        Assert.Equal("", await page.EvaluateAsync<string>("document.cookie"));

        await page.Locator("#sign-out").ClickAsync();
        await Expect(page.Locator("main h1")).ToHaveTextAsync("Things for long days outside");
        Assert.Empty(Surroundings.Identity.SessionsOf("u-1001"));
        Assert.Empty(complaints);
    }

    private static ILocatorAssertions Expect(ILocator locator) => Assertions.Expect(locator);

    /// <summary>For people, who look at <c>BFF_SCREENSHOTS</c>; phone and desktop, light and dark.</summary>
    private static async Task Picture(IPage page, string name)
    {
        if (Environment.GetEnvironmentVariable("BFF_SCREENSHOTS") is not { Length: > 0 } folder)
        {
            return;
        }

        foreach (var (width, scheme) in ((int, ColorScheme)[])[(390, ColorScheme.Light), (390, ColorScheme.Dark), (1280, ColorScheme.Light), (1280, ColorScheme.Dark)])
        {
            await page.SetViewportSizeAsync(width, width == 390 ? 844 : 900);
            await page.EmulateMediaAsync(new() { ColorScheme = scheme });
            await page.EvaluateAsync(
                "() => Promise.all([...document.images].filter(i => !i.complete && i.getBoundingClientRect().top < innerHeight).map(i => new Promise(done => { i.onload = i.onerror = done })))");
            await page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}-{width}-{scheme}.png"), FullPage = width == 390 });
        }

        await page.SetViewportSizeAsync(1280, 900);
    }
}
