using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace Bff.Edge;

/// <summary>The content coding in which a response may be compressed.</summary>
internal enum ContentCoding
{
    Identity,
    Gzip,
    Brotli,
}

/// <summary>
/// Chooses a coding from <c>Accept-Encoding</c> (RFC 9110 section 12.5.3): the one with the greater weight, or Brotli when the weights are
/// equal.
/// </summary>
internal static class AcceptedEncoding
{
    public static ContentCoding Choose(StringValues acceptEncoding)
    {
        var (brotli, gzip) = Weights(acceptEncoding);
        return brotli > 0 && brotli >= gzip ? ContentCoding.Brotli
            : gzip > 0 ? ContentCoding.Gzip
            : ContentCoding.Identity;
    }

    /// <summary>Whether the client accepts gzip, for data that is stored only in this coding.</summary>
    public static bool TakesGzip(StringValues acceptEncoding) => Weights(acceptEncoding).Gzip > 0;

    private static (double Brotli, double Gzip) Weights(StringValues acceptEncoding)
    {
        double brotli = -1,
            gzip = -1,
            any = -1;
        foreach (var line in acceptEncoding)
        {
            foreach (var range in line.AsSpan().Split(','))
            {
                var item = line.AsSpan()[range].Trim();
                var semicolon = item.IndexOf(';');
                var name = semicolon < 0 ? item : item[..semicolon].TrimEnd();
                var weight = semicolon < 0 ? 1 : Weight(item[(semicolon + 1)..]);
                if (name.Equals("br", StringComparison.OrdinalIgnoreCase))
                {
                    brotli = weight;
                }
                else if (
                    name.Equals("gzip", StringComparison.OrdinalIgnoreCase) || name.Equals("x-gzip", StringComparison.OrdinalIgnoreCase)
                )
                {
                    gzip = weight;
                }
                else if (name is "*")
                {
                    any = weight;
                }
            }
        }

        return (brotli < 0 ? any : brotli, gzip < 0 ? any : gzip);
    }

    private static double Weight(ReadOnlySpan<char> parameter)
    {
        parameter = parameter.Trim();
        return
            parameter.StartsWith("q=", StringComparison.OrdinalIgnoreCase)
            && double.TryParse(parameter[2..], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var weight)
            ? weight
            : 0;
    }
}
