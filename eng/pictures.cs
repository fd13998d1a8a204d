#:package Microsoft.Playwright
#:property PublishAot=false

// Takes the pictures of the README from the stack that eng/pictures has started.
// dotnet run eng/pictures.cs -- <login address of the dashboard> <folder>
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;

const string Mobile = "http://127.0.0.1:8081",
    Web = "http://127.0.0.1:8082",
    Partner = "http://127.0.0.1:8083",
    Identity = "http://127.0.0.1:9000";
const string Recommendations = "http://127.0.0.1:9008";
var (dashboard, folder) = (args[0], args[1]);

using var http = new HttpClient();
using var playwright = await Playwright.CreateAsync();
await using var browser = await playwright.Chromium.LaunchAsync(
    new()
    {
        ExecutablePath = Environment.GetEnvironmentVariable("CHROMIUM") ?? "/usr/bin/chromium",
        Args = ["--no-sandbox", "--disable-gpu"],
    }
);

// 1. The trace of a composition in the dashboard.
var token = (string)
    JsonNode.Parse(
        await (await http.PostAsJsonAsync(Identity + "/__token", new { sub = "u-1001", scope = "api" })).Content.ReadAsStringAsync()
    )!["access_token"]!;
using var request = new HttpRequestMessage(HttpMethod.Get, Mobile + "/home-feed") { Headers = { { "Authorization", "Bearer " + token } } };
(await http.SendAsync(request)).EnsureSuccessStatusCode();
var page = await Open(1280, 720);
await page.GotoAsync(dashboard);
await page.GotoAsync(new Uri(new Uri(dashboard), "/traces").ToString());
await page.GetByText("home-feed").First.ClickAsync();
await page.WaitForURLAsync("**/traces/detail/**");
await page.WaitForTimeoutAsync(2000); // The dashboard draws in steps and does not say which is the last.
await Take("trace");

// 2. The sample app with a part missing.
await http.PostAsJsonAsync(Recommendations + "/__faults", new { mode = "status", status = 503 });
page = await Open(1280, 800);
await page.GotoAsync(Web + "/bff/login");
await page.GetByRole(AriaRole.Button, new() { Name = "Alice" }).First.ClickAsync();
await page.WaitForURLAsync(Web + "/**");
await page.Locator("h1").WaitForAsync();
await page.WaitForLoadStateAsync(LoadState.NetworkIdle);
await Take("app-with-a-part-missing");
await http.PostAsJsonAsync(Recommendations + "/__faults", new { mode = "none" });

// 3. The portal after some requests with a new key, so that there is something to see.
page = await Open(1280, 800);
await page.GotoAsync(Partner + "/portal/keys/new");
await page.GetByRole(AriaRole.Button, new() { Name = "Carol" }).First.ClickAsync();
await page.GetByLabel("Name").FillAsync("Warehouse sync");
await page.Locator("[name=mode][value=live]").CheckAsync();
await page.GetByRole(AriaRole.Button, new() { Name = "Create key" }).ClickAsync();
var key = await page.Locator("#secret").InputValueAsync();
for (var i = 0; i < 24; i++)
{
    var path =
        i % 6 == 5 ? "/v1/orders/none"
        : i % 2 == 0 ? "/v1/orders?limit=2"
        : "/v1/products?limit=2";
    using var call = new HttpRequestMessage(HttpMethod.Get, Partner + path) { Headers = { { "Authorization", "Bearer " + key } } };
    using var answer = await http.SendAsync(call);
}

await page.WaitForTimeoutAsync(2000); // Requests are counted shortly after their answers.
await page.GotoAsync(Partner + "/portal");
await page.Locator("h1").WaitForAsync();
await Take("portal");

async Task<IPage> Open(int width, int height) =>
    await (
        await browser.NewContextAsync(
            new()
            {
                ViewportSize = new() { Width = width, Height = height },
            }
        )
    ).NewPageAsync();

async Task Take(string name) => await page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png") });
