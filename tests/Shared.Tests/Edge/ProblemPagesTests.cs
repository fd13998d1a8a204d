using System.Net;
using System.Text.Json;
using Bff.Requests;

namespace Bff.Shared.Tests.Edge;

public sealed class ProblemPagesTests(EdgeHost host) : IClassFixture<EdgeHost>
{
    [Fact]
    public async Task Every_code_has_its_page_and_the_index_leads_to_each()
    {
        var index = await host.Host.Client.GetStringAsync("/problems");
        foreach (var (code, problem) in ProblemCodes.All)
        {
            Assert.Contains($"href=\"/problems/{code}\"", index, StringComparison.Ordinal);

            using var page = await host.Host.Client.GetAsync("/problems/" + code);

            Assert.Equal(HttpStatusCode.OK, page.StatusCode);
            Assert.Equal("text/html; charset=utf-8", page.Content.Headers.ContentType?.ToString());
            var html = await page.Content.ReadAsStringAsync();
            Assert.Contains($"<h1>{WebUtility.HtmlEncode(problem.Title)}</h1>", html, StringComparison.Ordinal);
            Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("style=", html, StringComparison.OrdinalIgnoreCase);
            Assert.Equal(
                "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                Assert.Single(page.Headers.GetValues("Content-Security-Policy"))
            );
        }
    }

    [Fact]
    public async Task A_page_shows_the_members_that_its_problem_has()
    {
        using var answer = await host.Host.Client.GetAsync("/nowhere");
        var page = WebUtility.HtmlDecode(await host.Host.Client.GetStringAsync("/problems/not_found"));
        using var shown = JsonDocument.Parse(
            page[page.IndexOf('{', StringComparison.Ordinal)..(page.IndexOf('}', StringComparison.Ordinal) + 1)]
        );
        using var given = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());

        Assert.Equal(given.RootElement.EnumerateObject().Select(m => m.Name), shown.RootElement.EnumerateObject().Select(m => m.Name));
        Assert.All(
            [given, shown],
            d =>
                Assert.EndsWith(
                    "/problems/not_found",
                    new Uri(d.RootElement.GetProperty("type").GetString()!, UriKind.Absolute).AbsolutePath,
                    StringComparison.Ordinal
                )
        );
    }

    [Fact]
    public async Task The_style_sheet_is_served_and_unknown_codes_are_not_found()
    {
        using var style = await host.Host.Client.GetAsync("/problems/style.css");
        using var unknown = await host.Host.Client.GetAsync("/problems/%3Cscript%3E");

        Assert.Equal("text/css; charset=utf-8", style.Content.Headers.ContentType?.ToString());
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        Assert.DoesNotContain("<script", await unknown.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_pages_are_public_and_served_only_at_their_exact_paths()
    {
        using var deeper = await host.Host.Client.GetAsync("/problems/not_found/more");
        using var written = await host.Host.Client.PostAsync("/problems", null);

        Assert.Equal(HttpStatusCode.NotFound, deeper.StatusCode);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, written.StatusCode);
        Assert.Equal(["GET", "HEAD"], written.Content.Headers.Allow);
    }
}
