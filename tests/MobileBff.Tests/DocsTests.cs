using Bff.BrowserKit;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace MobileBff.Tests;

/// <summary>Tests the documentation page.</summary>
public sealed class DocsTests(SharedSurroundings surroundings) : MobileTest(surroundings)
{
    [ChromiumFact]
    public async Task In_development_the_document_is_read_and_tried_in_a_browser()
    {
        await using var chromium = await Chromium.Start(Start());
        var page = chromium.Page;
        await page.GotoAsync("/docs");
        await Expect(page.Locator("html[data-docs=ready]")).ToHaveCountAsync(1);
        await Expect(page.Locator(".opblock")).ToHaveCountAsync(12);
        await chromium.Picture("mobile-docs");
        await chromium.HasNoBarriers(except: "#swagger"); // The markup inside Swagger UI is not ours.

        await page.Locator(".opblock-summary", new() { HasText = "/products/{id}" }).First.ClickAsync();
        await page.Locator(".parameters input").First.FillAsync("p-1");
        await page.Locator("button.execute").First.ClickAsync();
        await Expect(page.Locator(".live-responses-table tbody .response-col_status").First).ToContainTextAsync("200");
        await chromium.Picture("mobile-docs-tried");
        Assert.Empty(chromium.Complaints);
    }

    [Fact]
    public async Task The_page_loads_only_files_of_the_host_and_caches_them_under_versioned_addresses()
    {
        var host = Start();
        using var page = await host.Get("/docs", user: null);
        var html = await page.Content.ReadAsStringAsync();

        Assert.Equal("text/html", page.Content.Headers.ContentType?.MediaType);
        var policy = Assert.Single(page.Headers.GetValues("Content-Security-Policy"));
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("http", policy, StringComparison.Ordinal);
        var files = System
            .Text.RegularExpressions.Regex.Matches(html, "(?:src|href)=\"(/docs/assets/[^\"]+)\"")
            .Select(m => m.Groups[1].Value)
            .ToList();
        Assert.Equal(5, files.Count);
        foreach (var file in files)
        {
            using var plain = await host.Get(file, user: null);
            Assert.Equal(HttpStatusCode.OK, plain.StatusCode);
            Assert.Contains("immutable", plain.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
            Assert.Contains(plain.Content.Headers.ContentType?.MediaType, (string[])["text/css", "text/javascript"]);

            var request = host.Request(HttpMethod.Get, file[..file.IndexOf('?')], user: null);
            request.Headers.AcceptEncoding.ParseAdd("gzip");
            using var packed = await host.Client.SendAsync(request);
            Assert.Equal("gzip", Assert.Single(packed.Content.Headers.ContentEncoding));
            Assert.Equal("no-cache", packed.Headers.CacheControl!.ToString());
            await using var unpacked = new System.IO.Compression.GZipStream(
                await packed.Content.ReadAsStreamAsync(),
                System.IO.Compression.CompressionMode.Decompress
            );
            Assert.Equal(await plain.Content.ReadAsStringAsync(), await new StreamReader(unpacked).ReadToEndAsync());
        }

        await Problem(await host.Get("/docs/assets/none.js", user: null), 404, "not_found");
    }
}
