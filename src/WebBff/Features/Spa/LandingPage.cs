using System.Text;
using Bff.Edge;
using Bff.Requests;

namespace WebBff.Features.Spa;

/// <summary>
/// Serves <c>/</c> if no app does, so that a browser that signs in or out without a return address ends at a page, not at an error.
/// <c>Session:Home</c> sets the app's address if that is another one.
/// </summary>
internal static class LandingPage
{
    private static readonly byte[] Page = Encoding.UTF8.GetBytes(
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>Web API</title>
        <link rel="icon" href="data:,">
        </head>
        <body>
        <main>
        <h1>Web API</h1>
        <p>This address serves an app's data. The app itself has another address.</p>
        <p><a href="/bff/login">Sign in</a> · <a href="/bff/user">Who is signed in</a></p>
        </main>
        </body>
        </html>
        """
    );

    public static void MapLandingPage(this WebApplication app) =>
        app.MapGet("/", () => new HtmlPage(Page) { CacheControl = "no-cache" }).AllowAnonymous().WithoutLimits().ExcludeFromDescription();
}
