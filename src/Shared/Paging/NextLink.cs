using Bff.Edge;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Bff.Paging;

/// <summary>Builds the <c>Link</c> header (RFC 8288) that leads to the next page.</summary>
public static class NextLink
{
    /// <summary>
    /// Returns <c>&lt;https://…?cursor=…&gt;; rel="next"</c> with the request's other parameters. Null at the end of the list.
    /// </summary>
    public static string? Of(HttpContext context, string? nextCursor)
    {
        if (nextCursor is null)
        {
            return null;
        }

        var request = context.Request;
        var parameters = QueryHelpers
            .ParseQuery(request.QueryString.Value)
            .Where(p => !p.Key.Equals("cursor", StringComparison.OrdinalIgnoreCase)) // The name is read case-insensitively.
            .SelectMany(p => p.Value, (p, value) => KeyValuePair.Create(p.Key, value))
            .Append(KeyValuePair.Create<string, string?>("cursor", nextCursor));
        var path = PublicUrl.Of(context) + request.PathBase.ToUriComponent() + request.Path.ToUriComponent();
        return $"<{QueryHelpers.AddQueryString(path, parameters)}>; rel=\"next\"";
    }
}
