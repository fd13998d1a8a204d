namespace Bff.Routes;

/// <summary>Takes a <c>Link</c> header apart (RFC 8288 section 3).</summary>
internal static class LinkHeader
{
    /// <summary>Its links. A comma within an address or a quoted text is part of it.</summary>
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

    /// <summary>Where a link's address is; null for what is no link.</summary>
    public static (int Start, int Length)? AddressOf(string link) =>
        link.StartsWith('<') && link.IndexOf('>', StringComparison.Ordinal) is > 0 and var end ? (1, end - 1) : null;
}
