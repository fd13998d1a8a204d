using System.Text;
using Bff.Edge;
using Bff.Requests;

namespace WebBff.Features.Spa;

/// <summary>
/// What stands at <c>/</c> where no app does: a browser that signed in or out without saying where to ends at a page, not at an error.
/// <c>Session:Home</c> names the app's address where it is another.
/// </summary>
internal static class LandingPage
{
    private static readonly byte[] Page = Encoding.UTF8.GetBytes(
        """
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><title>Web API</title></head>
        <body>
        <h1>Web API</h1>
        <p>This address serves the data of an app; the app itself is at another one.</p>
        <p><a href="/bff/login">Sign in</a> · <a href="/bff/user">Who is signed in</a></p>
        </body>
        </html>
        """
    );

    public static void MapLandingPage(this WebApplication app) =>
        app.MapGet("/", () => new HtmlPage(Page) { CacheControl = "no-cache" }).AllowAnonymous().WithoutLimits().ExcludeFromDescription();
}
