using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace Bff.Composition;

/// <summary>Decides whether the client already has the current answer (RFC 9110 section 13).</summary>
internal static class Validators
{
    /// <summary>
    /// Returns the tag of an answer without <c>_meta</c>, whose latencies always differ: so the tag is weak (RFC 9110 section 8.8.1).
    /// </summary>
    public static string TagOf(ReadOnlySpan<byte> answer)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(answer, hash);
        return $"W/\"{Base64Url.EncodeToString(hash[..16])}\"";
    }

    /// <summary>Writes the validators and compares them with the request's: tags if it has any, otherwise the time.</summary>
    public static bool IsUnchanged(HttpContext context, string? tag, string? lastModified)
    {
        var headers = context.Response.Headers;
        if (tag is not null)
        {
            headers.ETag = tag;
        }

        if (lastModified is not null)
        {
            headers.LastModified = lastModified;
        }

        var request = context.Request;
        if (!HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method))
        {
            return false;
        }

        if (request.Headers.IfNoneMatch.Count > 0)
        {
            return tag is not null && Names(request.Headers.IfNoneMatch, tag);
        }

        return TimeOf(request.Headers.IfModifiedSince) is { } since && TimeOf(lastModified) is { } changed && changed <= since;
    }

    private static bool Names(Microsoft.Extensions.Primitives.StringValues candidates, string tag)
    {
        var opaque = Opaque(tag);
        foreach (var line in candidates)
        {
            foreach (var candidate in (line ?? "").Split(',', StringSplitOptions.TrimEntries))
            {
                if (candidate == "*" || Opaque(candidate).SequenceEqual(opaque))
                {
                    return true;
                }
            }
        }

        return false;
    }

    private static ReadOnlySpan<char> Opaque(string tag) => tag.StartsWith("W/", StringComparison.Ordinal) ? tag.AsSpan(2) : tag;

    private static DateTimeOffset? TimeOf(string? text) =>
        DateTimeOffset.TryParseExact(text, "R", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
}
