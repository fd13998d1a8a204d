using System.Security.Cryptography;
using System.Text;

namespace Bff.Dev.Stack;

/// <summary>Creates an API key: prefix, 32 random base 62 characters, and their CRC-32 in base 62, padded to six characters.</summary>
internal static class DevelopmentKey
{
    private const string Base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    public static string New()
    {
        var random = RandomNumberGenerator.GetString(Base62, 32);
        var checksum = Crc32(Encoding.ASCII.GetBytes(random));
        Span<char> digits = stackalloc char[6];
        for (var i = digits.Length - 1; i >= 0; i--)
        {
            (checksum, var digit) = Math.DivRem(checksum, 62);
            digits[i] = Base62[(int)digit];
        }

        return $"pk_live_{random}{digits}";
    }

    // CRC-32 of IEEE 802.3, computed bit by bit because it runs only once.
    private static uint Crc32(byte[] bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 0 ? crc >> 1 : (crc >> 1) ^ 0xEDB88320;
            }
        }

        return ~crc;
    }
}
