using Microsoft.Extensions.Primitives;

namespace Bff.Edge;

/// <summary>What a request's <c>Connection</c> names is meant for the gateway alone (RFC 9110 section 7.6.1).</summary>
internal static class ConnectionOptions
{
    public static bool Name(StringValues connection, string header)
    {
        foreach (var line in connection)
        {
            foreach (var option in line.AsSpan().Split(','))
            {
                if (line.AsSpan()[option].Trim().Equals(header, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }
        }

        return false;
    }
}
