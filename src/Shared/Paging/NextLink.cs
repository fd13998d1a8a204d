using Bff.Edge;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Bff.Paging;

/// <summary>The <c>Link</c> header of a page (RFC 8288): where its successor is.</summary>
public static class NextLink
{
    /// <summary>
    /// <c>&lt;https://…?cursor=…&gt;; rel="next"</c> with the request's other parameters kept; null at the end of the list.
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
            .Where(p => !p.Key.Equals("cursor", StringComparison.OrdinalIgnoreCase)) // As it is read: in any case.
            .SelectMany(p => p.Value, (p, value) => KeyValuePair.Create(p.Key, value))
            .Append(KeyValuePair.Create<string, string?>("cursor", nextCursor));
        var path = PublicUrl.Of(context) + request.PathBase.ToUriComponent() + request.Path.ToUriComponent();
        return $"<{QueryHelpers.AddQueryString(path, parameters)}>; rel=\"next\"";
    }
}
