using Microsoft.AspNetCore.Http;

namespace Bff.Requests;

/// <summary>Recognizes media types (RFC 6838).</summary>
internal static class MediaTypes
{
    /// <summary>Whether the type is <c>application/json</c> or <c>application/*+json</c>, with or without parameters.</summary>
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

    /// <summary>Whether the client accepts <c>text/html</c> by name. Browsers do when they open a page; scripts do not.</summary>
    public static bool AcceptsHtml(HttpRequest request) =>
        request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase);
}
