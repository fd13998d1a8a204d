using System.Text;
using System.Text.Encodings.Web;

namespace Bff.Dev.IdentityProvider;

/// <summary>A complete HTML page, and the addresses to which its forms may lead.</summary>
internal sealed record Page(string Html, string FormAction)
{
    public static Page Of(string title, string body, string formAction = "'self'") =>
        new(
            $"""
            <!doctype html>
            <html lang="en">
            <head>
              <meta charset="utf-8">
              <meta name="viewport" content="width=device-width, initial-scale=1">
              <meta name="color-scheme" content="light dark">
              <title>{Text(title)}</title>
              <link rel="stylesheet" href="/sign-in.css">
              <link rel="icon" href="data:,">
            </head>
            <body>
              <main>
                <p class="badge">Development only</p>
                <h1>{Text(title)}</h1>
                {body}
              </main>
            </body>
            </html>
            """,
            formAction
        );

    public static string Text(string? text) => HtmlEncoder.Default.Encode(text ?? "");

    /// <summary>
    /// Returns the value of form-action. Browsers also check where a form's answer redirects to, so it includes the client's address.
    /// </summary>
    public static string LeadingTo(string? redirectUri)
    {
        if (!Uri.TryCreate(redirectUri, UriKind.Absolute, out var uri))
            return "'self'";
        var target = uri.Scheme is "http" or "https" ? uri.GetLeftPart(UriPartial.Authority) : uri.Scheme + ":";
        return $"'self' {target} http://localhost:* http://127.0.0.1:* https://localhost:* https://127.0.0.1:*";
    }
}

internal static class MessagePage
{
    public static Page Render(string title, string message) => Page.Of(title, $"<p>{Page.Text(message)}</p>");
}

internal static class SignOutPage
{
    public static Page Render(DevelopmentUser user, QueryString request, string? target) =>
        Page.Of(
            "Sign out?",
            $"""
            <p>You are signed in as <strong>{Page.Text(user.Name)}</strong>.</p>
            <form method="post" action="/sign-out{Page.Text(request.Value)}"><button class="plain" type="submit">Sign out</button></form>
            """,
            Page.LeadingTo(target)
        );
}

internal static class SignInPage
{
    public static Page Render(AuthorizationRequest request, List<DevelopmentUser> users, QueryString query)
    {
        var hinted = users.Find(request.LoginHint);
        var buttons = new StringBuilder();
        if (hinted is not null)
            Append(buttons, hinted, "hinted");
        foreach (var user in users)
            if (user != hinted)
                Append(buttons, user, "");

        return Page.Of(
            "Choose a user",
            $"""
            <p>to continue to <strong>{Page.Text(request.ClientId)}</strong></p>
            <form method="post" action="/sign-in{Page.Text(query.Value)}">
            {buttons}</form>
            <p class="note">These users exist for development. No password is asked, and none should be typed here.</p>
            """,
            Page.LeadingTo(request.RedirectUri)
        );
    }

    private static void Append(StringBuilder buttons, DevelopmentUser user, string style)
    {
        var roles = string.Join(", ", user.Roles);
        buttons
            .Append("  <button type=\"submit\" name=\"user\" class=\"user ")
            .Append(style)
            .Append("\" value=\"")
            .Append(Page.Text(user.Subject))
            .Append("\">")
            .Append("<span class=\"initial\" aria-hidden=\"true\">")
            .Append(Page.Text(user.Name[..1]))
            .Append("</span>")
            .Append("<span class=\"who\"><span class=\"name\">")
            .Append(Page.Text(user.Name))
            .Append("</span>")
            .Append("<span class=\"email\">")
            .Append(Page.Text(user.Email))
            .Append("</span></span>")
            .Append("<span class=\"facts\"><span>")
            .Append(Page.Text(user.TenantId))
            .Append("</span><span>")
            .Append(Page.Text(roles))
            .Append("</span></span>")
            .AppendLine("</button>");
    }
}
