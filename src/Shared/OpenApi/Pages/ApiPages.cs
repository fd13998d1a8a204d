using System.Text;
using System.Text.Encodings.Web;
using Bff.Edge;
using Bff.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Bff.OpenApi.Pages;

/// <summary>Serves the host's documents for reading and trying out in a browser.</summary>
public static class ApiPages
{
    /// <summary>
    /// In development, shows the host's documents at <c>/docs</c>: the first one, or the one that <c>?document=</c> names. Everything on
    /// the page comes from this host, and nothing is inline.
    /// </summary>
    /// <param name="app">The host.</param>
    /// <param name="header">A header that calls from a browser need, as <c>Name: value</c>.</param>
    public static void MapApiPages(this WebApplication app, string? header = null)
    {
        string[] names = [.. app.Services.GetServices<OpenApiDocumentName>().Select(d => d.Name)];
        if (names.Length == 0 || !app.Environment.IsDevelopment() || !ApiPageFiles.ArePresent)
        {
            return;
        }

        app.MapApiPageFiles();
        app.MapGet(
                "/docs",
                (HttpContext context) => Page(names, names.FirstOrDefault(n => n == context.Request.Query["document"]) ?? names[0], header)
            )
            .AllowAnonymous()
            .WithoutLimits()
            .ExcludeFromDescription();
    }

    private static HtmlPage Page(string[] names, string shown, string? header)
    {
        var others = new StringBuilder();
        foreach (var name in names.Length > 1 ? names : [])
        {
            others.Append(
                Invariant($"""<a href="/docs?document={Text(name)}"{(name == shown ? " aria-current=\"page\"" : "")}>{Text(name)}</a>""")
            );
        }

        return new(
            Encoding.UTF8.GetBytes(
                $"""
                <!doctype html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                <meta name="color-scheme" content="light dark">
                <title>{Text(shown)} · API documentation</title>
                <link rel="icon" href="data:,">
                <link rel="stylesheet" href="{ApiPageFiles.Url("swagger-ui.css")}">
                <link rel="stylesheet" href="{ApiPageFiles.Url("page.css")}">
                <link rel="stylesheet" href="{ApiPageFiles.Url("docs.css")}">
                </head>
                <body>
                <header>
                <h1>API documentation, {Text(shown)}</h1>
                <nav aria-label="Documents">{others}<a href="/openapi/{Text(shown)}.json">/openapi/{Text(shown)}.json</a></nav>
                </header>
                <main>
                <div id="swagger" data-spec="/openapi/{Text(shown)}.json"{(header is null ? "" : $" data-header=\"{Text(header)}\"")}></div>
                <noscript><p>Trying calls out needs JavaScript.</p></noscript>
                </main>
                <script src="{ApiPageFiles.Url("swagger-ui-bundle.js")}" defer></script>
                <script src="{ApiPageFiles.Url("docs.js")}" defer></script>
                </body>
                </html>
                """
            )
        );
    }

    private static string Text(string value) => HtmlEncoder.Default.Encode(value);

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
