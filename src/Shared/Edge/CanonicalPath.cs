using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Bff.Edge;

/// <summary>
/// Decides what the path of a request target means, or that its meaning is ambiguous. 1. Accept only visible ASCII. 2. A path of plain
/// characters without empty and dot segments is already canonical. 3. Decode any other path once. Refuse it when the result is not UTF-8,
/// would decode again, or contains a hidden separator, a dot segment or a control character (RFC 3986 sections 3.3 and 6.2.2). Dot segments
/// are refused and not resolved. Clients resolve them before sending (section 5.2.4), so one that arrives is meant for a reader that
/// resolves it differently.
/// </summary>
internal static class CanonicalPath
{
    // The unreserved characters, the sub-delims without ';', and ':', '@' and '/'.
    private static readonly SearchValues<char> Plain = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@/"
    );

    /// <param name="target">The request target as received, in origin-form or absolute-form (RFC 9112 section 3.2).</param>
    /// <param name="host">The request's <c>Host</c>, which must match the authority of an absolute-form.</param>
    /// <param name="decoded">The path as decoded by the server. It is returned when it is already canonical, so that nothing is
    /// allocated.</param>
    /// <returns>The decoded, canonical path; null when it is refused.</returns>
    public static string? Of(ReadOnlySpan<char> target, ReadOnlySpan<char> host, string? decoded)
    {
        if (target.ContainsAnyExceptInRange('!', '~'))
        {
            return null;
        }

        if (target is not ['/', ..] && !TryLeaveAuthority(ref target, host))
        {
            return null;
        }

        var query = target.IndexOf('?');
        var path = query < 0 ? target : target[..query];
        if (path.Length == 0)
        {
            path = "/";
        }

        if (path.ContainsAnyExcept(Plain))
        {
            return Decode(path, decoded);
        }

        return HasBadSegment(path) ? null : Same(path, decoded);
    }

    private static bool TryLeaveAuthority(ref ReadOnlySpan<char> target, ReadOnlySpan<char> host)
    {
        var skip =
            target.StartsWith("http://", StringComparison.OrdinalIgnoreCase) ? 7
            : target.StartsWith("https://", StringComparison.OrdinalIgnoreCase) ? 8
            : 0;
        if (skip == 0)
        {
            return false;
        }

        var rest = target[skip..];
        var end = rest.IndexOfAny('/', '?', '#');
        var authority = end < 0 ? rest : rest[..end];
        var defaultPort = skip == 7 ? ":80" : ":443";
        if (!WithoutPort(authority, defaultPort).Equals(WithoutPort(host, defaultPort), StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        target = end < 0 ? "/" : rest[end..];
        return true;
    }

    private static ReadOnlySpan<char> WithoutPort(ReadOnlySpan<char> authority, string port) =>
        authority.EndsWith(port, StringComparison.Ordinal) ? authority[..^port.Length] : authority;

    private static string? Decode(ReadOnlySpan<char> path, string? decoded)
    {
        var rented = ArrayPool<byte>.Shared.Rent(path.Length);
        try
        {
            var length = 0;
            for (var i = 0; i < path.Length; i++)
            {
                var c = path[i];
                if (c != '%')
                {
                    if (c is '\\' or ';' or '#')
                    {
                        return null;
                    }

                    rented[length++] = (byte)c;
                    continue;
                }

                if (i + 2 >= path.Length || !char.IsAsciiHexDigit(path[i + 1]) || !char.IsAsciiHexDigit(path[i + 2]))
                {
                    return null;
                }

                var octet = (byte)((HexValue(path[i + 1]) << 4) | HexValue(path[i + 2]));
                if (octet is (byte)'/' or (byte)'\\' or (byte)';')
                {
                    return null;
                }

                rented[length++] = octet;
                i += 2;
            }

            var bytes = rented.AsSpan(0, length);
            if (!Utf8.IsValid(bytes))
            {
                return null;
            }

            var text = Encoding.UTF8.GetString(bytes);
            return HasControl(text) || DecodesAgain(text) || HasBadSegment(text) ? null : Same(text, decoded);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static int HexValue(char c) => c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;

    private static bool HasControl(string text)
    {
        foreach (var c in text)
        {
            if (char.IsControl(c))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a service that decodes the path a second time would read another path.</summary>
    private static bool DecodesAgain(ReadOnlySpan<char> text)
    {
        for (var at = text.IndexOf('%'); at >= 0; at = text.IndexOf('%'))
        {
            text = text[(at + 1)..];
            if (text.Length >= 2 && char.IsAsciiHexDigit(text[0]) && char.IsAsciiHexDigit(text[1]))
            {
                return true;
            }
        }

        return false;
    }

    private static bool HasBadSegment(ReadOnlySpan<char> path)
    {
        if (path.Contains("//", StringComparison.Ordinal))
        {
            return true;
        }

        for (var at = path.IndexOf("/.", StringComparison.Ordinal); at >= 0; at = path.IndexOf("/.", StringComparison.Ordinal))
        {
            path = path[(at + 1)..];
            if (path is "." or ['.', '/', ..] or ".." or ['.', '.', '/', ..])
            {
                return true;
            }
        }

        return false;
    }

    private static string Same(ReadOnlySpan<char> path, string? decoded) => path.SequenceEqual(decoded) ? decoded! : path.ToString();
}
