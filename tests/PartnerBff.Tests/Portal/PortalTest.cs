using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace PartnerBff.Tests.Portal;

/// <summary>People at the portal: with a browser's manners and without a browser, or in a real one.</summary>
public abstract partial class PortalTest(SharedSurroundings surroundings) : PartnerTest(surroundings)
{
    protected PartnerHost StartPortal(Dictionary<string, string?>? settings = null, RedisServer? redis = null) =>
        Start(new Dictionary<string, string?>(settings ?? []) { ["Session:Authority"] = Surroundings.Identity.Authority }.WithPlans("anonymous"), redis);

    /// <summary>Somebody who has signed in; no scripts, cookies kept.</summary>
    protected async Task<Person> SignedIn(PartnerHost host, string user = "carol")
    {
        var person = new Person(host);
        using var first = await person.Get("/portal/login?returnUrl=%2Fportal");
        Assert.Equal(HttpStatusCode.Redirect, first.StatusCode);
        using var form = new FormUrlEncodedContent([KeyValuePair.Create("user", user)]);
        using var chosen = await person.Http.PostAsync(Surroundings.Identity.Authority + "/sign-in" + first.Headers.Location!.Query, form);
        Assert.Equal(HttpStatusCode.SeeOther, chosen.StatusCode);
        using var back = await person.Http.GetAsync(chosen.Headers.Location);
        Assert.Equal("/portal", back.Headers.Location!.OriginalString);
        return person;
    }

    protected static async Task<string> Page(HttpResponseMessage response, int status = 200)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, $"{(int)response.StatusCode}: {text}");
        Assert.Equal("text/html", response.Content.Headers.ContentType?.MediaType);
        return text;
    }

    protected sealed partial class Person(PartnerHost host)
    {
        public HttpClient Http { get; } = host.NewClient(host.Address, new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, CookieContainer = new() });

        public Task<HttpResponseMessage> Get(string path) => Http.GetAsync(path);

        public async Task<string> Token() => FormToken().Match(await Page(await Get("/portal/keys/new"))).Groups[1].Value;

        public async Task<HttpResponseMessage> Post(string path, string? token, params (string Name, string Value)[] fields)
        {
            var all = fields.Select(f => KeyValuePair.Create(f.Name, f.Value));
            using var form = new FormUrlEncodedContent(token is null ? all : all.Append(KeyValuePair.Create("__RequestVerificationToken", token)));
            return await Http.PostAsync(path, form);
        }

        [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
        private static partial Regex FormToken();
    }
}

/// <summary>The system's Chromium and one page in it, whose complaints a test must not leave unread.</summary>
public sealed class Chromium : IAsyncDisposable
{
    private static readonly string[] Arguments =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ];

    private readonly IPlaywright _playwright;
    private readonly IBrowser _browser;
    private readonly ConcurrentBag<Task> _checked = [];

    private Chromium(IPlaywright playwright, IBrowser browser, IPage page, LeakSentinel leaks)
    {
        (_playwright, _browser, Page) = (playwright, browser, page);
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

    public static async Task<Chromium> Start(PartnerHost host, bool scripts = true)
    {
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = ChromiumFactAttribute.Path, Args = Arguments, Timeout = 120_000 });
        var context = await browser.NewContextAsync(new()
        {
            BaseURL = host.Address.OriginalString, ViewportSize = new() { Width = 1280, Height = 900 }, JavaScriptEnabled = scripts,
            Permissions = ["clipboard-read", "clipboard-write"],
        });
        context.SetDefaultTimeout(60_000);
        return new(playwright, browser, await context.NewPageAsync(), host.Leaks);
    }

    public async Task SignIn(string user = "Carol")
    {
        await Page.GotoAsync("/portal");
        await Page.GetByRole(AriaRole.Button, new() { NameRegex = new(user) }).First.ClickAsync();
        await Assertions.Expect(Page.Locator("h1")).ToBeVisibleAsync();
    }

    /// <summary>For people, who look at <c>BFF_SCREENSHOTS</c>: phone and desktop, light and dark.</summary>
    public async Task Picture(string name)
    {
        if (Environment.GetEnvironmentVariable("BFF_SCREENSHOTS") is not { Length: > 0 } folder)
        {
            return;
        }

        foreach (var (width, scheme) in ((int, ColorScheme)[])[(390, ColorScheme.Light), (390, ColorScheme.Dark), (1280, ColorScheme.Light), (1280, ColorScheme.Dark)])
        {
            await Page.SetViewportSizeAsync(width, width == 390 ? 844 : 900);
            await Page.EmulateMediaAsync(new() { ColorScheme = scheme });
            await Page.ScreenshotAsync(new() { Path = Path.Combine(folder, $"{name}-{width}-{scheme}.png"), FullPage = width == 390 });
        }

        await Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
        await Page.SetViewportSizeAsync(1280, 900);
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_checked);
        await _browser.DisposeAsync();
        _playwright.Dispose();
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
            leaks.CheckErrorBody(response.Url, await response.TextAsync());
        }
    }
}
