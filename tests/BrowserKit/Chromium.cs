using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Bff.TestKit;
using Deque.AxeCore.Commons;
using Microsoft.Playwright;
using Xunit;

namespace Bff.BrowserKit;

/// <summary>The system's Chromium and one page in it, whose complaints a test must not leave unread.</summary>
public sealed class Chromium : IAsyncDisposable
{
    private const int Phone = 390,
        Desktop = 1280;

    private static readonly BundledAxeScriptProvider Axe = new();

    private static readonly string[] Arguments =
    [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ];

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly ConcurrentBag<Task> _checked = [];
    private readonly Regex _atHost;

    static Chromium() => Assertions.SetDefaultExpectTimeout(60_000);

    private Chromium(IPlaywright playwright, IBrowser browser, IPage page, Uri host, LeakSentinel leaks)
    {
        (_playwright, _browser, Page) = (playwright, browser, page);
        _atHost = new("^" + Regex.Escape(host.GetLeftPart(UriPartial.Authority)) + "/");
        page.Response += (_, response) => _checked.Add(Check(response, leaks));
        page.PageError += (_, error) => Complaints.Add(error);
        page.Console += (_, message) =>
        {
            if (message.Type == "error" && !message.Text.Contains("the server responded with a status of", StringComparison.Ordinal))
            {
                Complaints.Add(message.Text);
            }
        };
    }

    public IPage Page { get; }

    /// <summary>Errors of scripts, and what the content security policy forbade.</summary>
    public List<string> Complaints { get; } = [];

    public static async Task<Chromium> Start<TEntryPoint>(GatewayHost<TEntryPoint> host, bool scripts = true)
        where TEntryPoint : class
    {
        ArgumentNullException.ThrowIfNull(host);
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(
            new()
            {
                ExecutablePath = ChromiumFactAttribute.Path,
                Args = Arguments,
                Timeout = 120_000,
            }
        );
        var context = await browser.NewContextAsync(
            new()
            {
                BaseURL = host.Address.OriginalString,
                ViewportSize = new() { Width = Desktop, Height = 900 },
                JavaScriptEnabled = scripts,
                Permissions = ["clipboard-read", "clipboard-write"],
            }
        );
        context.SetDefaultTimeout(60_000);
        return new(playwright, browser, await context.NewPageAsync(), host.Address, host.Leaks);
    }

    /// <summary>Goes where one must be somebody, and chooses who at the provider.</summary>
    public async Task SignIn(string path, string user)
    {
        await Page.GotoAsync(path);
        await Choose(user);
    }

    /// <summary>Chooses a user on the provider's page, which is shown.</summary>
    public async Task Choose(string user)
    {
        await Page.GetByRole(AriaRole.Button, new() { NameRegex = new(user) }).First.ClickAsync();
        await Assertions.Expect(Page).ToHaveURLAsync(_atHost); // The provider's page has a heading too.
        await Assertions.Expect(Page.Locator("h1")).ToBeVisibleAsync();
    }

    /// <summary>
    /// Fails when axe-core finds a barrier on the page shown, or when the page is wider than its window; on a phone in the dark and on a
    /// desktop in the light.
    /// </summary>
    public Task HasNoBarriers(string? except = null) =>
        Each(
            [(Phone, ColorScheme.Dark), (Desktop, ColorScheme.Light)],
            async look =>
            {
                if (!await Page.EvaluateAsync<bool>("'axe' in window"))
                {
                    await Page.EvaluateAsync(Axe.GetScript());
                }

                var found = await Page.EvaluateAsync<string[]>(
                    "async except => (await axe.run(except ? { exclude: [except] } : document)).violations.map(v => `${v.id}: ${v.nodes.map(n => n.html).join(' | ')}`)",
                    except
                );
                Assert.True(found.Length == 0, $"{Page.Url}, {look}: {string.Join("\n", found)}");
                Assert.True(
                    await Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= innerWidth"),
                    $"{Page.Url}, {look}: wider than the window"
                );
            }
        );

    /// <summary>For people, who look at <c>BFF_SCREENSHOTS</c>: phone and desktop, light and dark.</summary>
    public async Task Picture(string name)
    {
        if (Environment.GetEnvironmentVariable("BFF_SCREENSHOTS") is { Length: > 0 } folder)
        {
            await Each(
                [(Phone, ColorScheme.Light), (Phone, ColorScheme.Dark), (Desktop, ColorScheme.Dark), (Desktop, ColorScheme.Light)],
                async look =>
                {
                    await Page.EvaluateAsync(
                        "() => Promise.all([...document.images].filter(i => !i.complete && i.getBoundingClientRect().top < innerHeight).map(i => new Promise(done => { i.onload = i.onerror = done })))"
                    );
                    await Page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}-{look}.png"), FullPage = true });
                }
            );
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_checked);
        await _browser.DisposeAsync();
        _playwright.Dispose();
    }

    private async Task Each((int Width, ColorScheme Scheme)[] looks, Func<string, Task> look)
    {
        foreach (var (width, scheme) in looks)
        {
            await Page.SetViewportSizeAsync(width, width == Phone ? 844 : 900);
            await Page.EmulateMediaAsync(new() { ColorScheme = scheme });
            await look($"{width}-{scheme}");
        }
    }

    private static async Task Check(IResponse response, LeakSentinel leaks)
    {
        if (response.Headers.TryGetValue("set-cookie", out var cookies))
        {
            foreach (var cookie in cookies.Split('\n'))
            {
                leaks.ForbidHeader("Set-Cookie", cookie);
            }
        }

        if (response.Status >= 400)
        {
            try
            {
                leaks.CheckErrorBody(response.Url, await response.TextAsync());
            }
            catch (PlaywrightException gone) when (gone.Message.Contains("resource with given identifier", StringComparison.Ordinal))
            {
                // The browser forgets the bodies of a page that it has left.
            }
        }
    }
}
