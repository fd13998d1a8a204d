using Bff.BrowserKit;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace WebBff.Tests;

/// <summary>Tests the documentation page.</summary>
public sealed class DocsTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    [Theory]
    [InlineData("gzip, br", "gzip")]
    [InlineData("*", "gzip")]
    [InlineData("gzip;q=0", null)]
    [InlineData("br", null)]
    public async Task The_pages_files_come_in_a_coding_that_the_browser_takes(string accepted, string? coding)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/docs/assets/page.css");
        request.Headers.TryAddWithoutValidation("Accept-Encoding", accepted);

        using var answer = await Start().Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(coding, answer.Content.Headers.ContentEncoding.SingleOrDefault());
    }

    [ChromiumFact]
    public async Task In_development_the_document_is_tried_with_the_browsers_own_session()
    {
        await using var chromium = await Chromium.Start(Start());
        var page = chromium.Page;
        await page.GotoAsync("/bff/login?returnUrl=%2Fdocs");
        await chromium.Choose("Alice");
        await Expect(page.Locator("html[data-docs=ready]")).ToHaveCountAsync(1);
        await chromium.Picture("web-docs");
        await chromium.HasNoBarriers(except: "#swagger"); // The markup inside Swagger UI is not ours.

        await page.Locator(".opblock-summary", new() { HasText = "/api/dashboard" }).First.ClickAsync();
        await page.Locator("button.execute").First.ClickAsync();
        await Expect(page.Locator(".live-responses-table tbody .response-col_status").First).ToContainTextAsync("200");
        await Expect(page.Locator(".live-responses-table").First).ToContainTextAsync("Alice");
        await chromium.Picture("web-docs-tried");
        Assert.Empty(chromium.Complaints);
    }
}
