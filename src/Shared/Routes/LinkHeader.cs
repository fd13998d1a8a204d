namespace Bff.Routes;

/// <summary>Parses a <c>Link</c> header (RFC 8288 section 3).</summary>
internal static class LinkHeader
{
    /// <summary>Returns the links. A comma within an address or a quoted string does not separate links.</summary>
    public static IEnumerable<string> Split(string value)
    {
        var (start, isAddress, isQuoted) = (0, false, false);
        for (var i = 0; i < value.Length; i++)
        {
            switch (value[i])
            {
                case '\\' when isQuoted:
                    i++;
                    break;
                case '"' when !isAddress:
                    isQuoted = !isQuoted;
                    break;
                case '<' when !isQuoted:
                    isAddress = true;
                    break;
                case '>' when !isQuoted:
                    isAddress = false;
                    break;
                case ',' when !isAddress && !isQuoted:
                    yield return value[start..i].Trim();
                    start = i + 1;
                    break;
                default:
                    break;
            }
        }

        yield return value[start..].Trim();
    }

    /// <summary>Returns the position of a link's address; null if the text is no link.</summary>
    public static (int Start, int Length)? AddressOf(string link) =>
        link.StartsWith('<') && link.IndexOf('>', StringComparison.Ordinal) is > 0 and var end ? (1, end - 1) : null;

    /// <summary>
    /// Returns the position of the address in the parameter <c>anchor</c> (section 3.2), searched from an index; null without one.
    /// </summary>
    public static (int Start, int Length)? AnchorOf(string link, int from)
    {
        var isQuoted = false;
        for (var i = from; i < link.Length; i++)
        {
            if (isQuoted && link[i] == '\\')
            {
                i++;
            }
            else if (link[i] == '"')
            {
                isQuoted = !isQuoted;
            }
            else if (link[i] == ';' && !isQuoted && ValueOf(link, i + 1, "anchor") is { } value)
            {
                return value;
            }
        }

        return null;
    }

    /// <summary>Returns the position of the value of the parameter at an index; null if the parameter has another name.</summary>
    private static (int Start, int Length)? ValueOf(string link, int at, string name)
    {
        var equals = link.IndexOf('=', at);
        if (equals < 0 || !link.AsSpan(at, equals - at).Trim().Equals(name, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var start = equals + 1;
        while (start < link.Length && link[start] is ' ' or '\t')
        {
            start++;
        }

        var isQuoted = start < link.Length && link[start] == '"';
        start += isQuoted ? 1 : 0;
        var end = link.IndexOf(isQuoted ? '"' : ';', start);
        return (start, (end < 0 ? link.Length : end) - start);
    }
}
