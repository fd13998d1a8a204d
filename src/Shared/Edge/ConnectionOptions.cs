using Microsoft.Extensions.Primitives;

namespace Bff.Edge;

/// <summary>Reads the header names in <c>Connection</c>. Those headers are only for the gateway (RFC 9110 section 7.6.1).</summary>
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
