using Microsoft.AspNetCore.Http;

namespace Bff.Requests;

/// <summary>Media types (RFC 6838) as the gateway tells them apart.</summary>
internal static class MediaTypes
{
    /// <summary><c>application/json</c> and <c>application/*+json</c>, with or without parameters.</summary>
    public static bool IsJson(ReadOnlySpan<char> contentType)
    {
        var end = contentType.IndexOf(';');
        var type = (end < 0 ? contentType : contentType[..end]).TrimEnd();
        return type.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || (
                type.StartsWith("application/", StringComparison.OrdinalIgnoreCase)
                && type.EndsWith("+json", StringComparison.OrdinalIgnoreCase)
            );
    }

    /// <summary>Whether the client names <c>text/html</c>, as browsers do when they open a page and scripts do not.</summary>
    public static bool AcceptsHtml(HttpRequest request) =>
        request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);
}
