using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using Bff.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bff.Edge;

/// <summary>The pages that a problem's <c>type</c> links to. They contain nothing of a request, so they are rendered once.</summary>
internal static class ProblemPages
{
    private const string Cached = "public, max-age=3600";
    private const string Policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <summary>Maps <c>/problems</c>, <c>/problems/&lt;code&gt;</c> and their style sheet for anonymous callers.</summary>
    public static void MapProblemPages(this IEndpointRouteBuilder routes)
    {
        var index = Page(Index());
        var pages = ProblemCodes.All.ToFrozenDictionary(entry => entry.Key, entry => Page(Of(entry.Value)));
        var style = Encoding.UTF8.GetBytes(ProblemPagesStyle.Css);

        routes.MapGet("/problems", () => index).AllowAnonymous().Named("problems").ExcludeFromDescription();
        routes
            .MapGet("/problems/style.css", (HttpContext context) => Style(context, style))
            .AllowAnonymous()
            .Named("problems")
            .ExcludeFromDescription();
        routes
            .MapGet(
                "/problems/{code}",
                IResult (string code) => pages.TryGetValue(code, out var page) ? page : new Problem(ProblemCodes.NotFound)
            )
            .AllowAnonymous()
            .Named("problems")
            .ExcludeFromDescription();
    }

    private static async Task Style(HttpContext context, byte[] style)
    {
        context.Response.ContentType = "text/css; charset=utf-8";
        context.Response.ContentLength = style.Length;
        context.Response.Headers.CacheControl = Cached;
        await context.Response.BodyWriter.WriteAsync(style, context.RequestAborted);
    }

    private static HtmlPage Page(string html) => new(Encoding.UTF8.GetBytes(html)) { Policy = Policy, CacheControl = Cached };

    private static string Of(ProblemCode problem) =>
        Layout(
            problem.Title,
            $"""
            <nav><a href="/problems">All problems</a></nav>
            <h1>{Text(problem.Title)}</h1>
            <p class="lead">{Text(problem.Explanation)}</p>
            <dl>
              <div><dt>code</dt><dd><code>{Text(problem.Code)}</code></dd></div>
              <div><dt>status</dt><dd><code>{Status(problem)}</code></dd></div>
              <div><dt>try again</dt><dd>{Text(Repeat(problem))}</dd></div>
            </dl>
            <h2>In an answer</h2>
            <pre>HTTP/1.1 {Status(problem)}
            Content-Type: application/problem+json

            {Text(Example(problem))}</pre>
            <p>The member <code>requestId</code>, also in the header <code>X-Request-Id</code>, identifies the request. Give it to support.</p>
            """
        );

    private static string Index()
    {
        var rows = new StringBuilder();
        foreach (var problem in ProblemCodes.All.Values.OrderBy(p => p.Status).ThenBy(p => p.Code, StringComparer.Ordinal))
        {
            rows.Append(
                CultureInfo.InvariantCulture,
                $"""
                <li><a href="/problems/{Text(problem.Code)}"><span class="status">{Status(problem)}</span><code>{Text(
                    problem.Code
                )}</code><span class="what">{Text(problem.Explanation)}</span></a></li>

                """
            );
        }

        return Layout(
            "Problems",
            $"""
            <h1>Problems</h1>
            <p class="lead">Every error is an <code>application/problem+json</code> document (RFC 9457). Programs should rely on its <code>code</code>.</p>
            <ul>
            {rows}</ul>
            """
        );
    }

    private static string Example(ProblemCode problem) =>
        $$"""
            {
              "type": "https://…/problems/{{problem.Code}}",
              "title": "{{problem.Title}}",
              "status": {{Status(problem)}},
              "detail": "{{problem.Explanation}}",
              "instance": "/…",
              "code": "{{problem.Code}}",
              "requestId": "…",
              "traceId": "…"
            }
            """;

    private static string Repeat(ProblemCode problem) =>
        problem.Status switch
        {
            408 or 429 or 503 => "Yes, after the time in Retry-After, with increasing delays.",
            409 => "After reading the current state of the resource.",
            502 or 504 => "Reads: yes, with increasing delays. Writes: only with the same Idempotency-Key.",
            500 => "Once at most. After that give support the request id.",
            401 => "With a new credential.",
            _ => "Only with a corrected request.",
        };

    private static string Status(ProblemCode problem) => problem.Status.ToString(CultureInfo.InvariantCulture);

    private static string Text(string value) => HtmlEncoder.Default.Encode(value);

    private static string Layout(string title, string main) =>
        $"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>{Text(title)}</title>
            <link rel="stylesheet" href="/problems/style.css">
            </head>
            <body>
            <main>
            {main}
            </main>
            </body>
            </html>
            """;
}
