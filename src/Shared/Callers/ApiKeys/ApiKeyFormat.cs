using System.Buffers;
using System.Security.Cryptography;

namespace Bff.Callers.ApiKeys;

/// <summary>
/// The format of an API key: <c>pk_live_</c> or <c>pk_test_</c>, 32 random base62 characters (190 bits), and their CRC-32 (ISO-HDLC, as in
/// zip) as 6 base62 digits, most significant first. The checksum keeps mistyped keys away from the store. It is no protection.
/// </summary>
public static class ApiKeyFormat
{
    /// <summary>Length of a whole key in characters.</summary>
    public const int Length = PrefixLength + RandomLength + ChecksumLength;

    /// <summary>The start of every key, by which secret scanners find leaked keys.</summary>
    public const string Prefix = "pk_";

    private const int PrefixLength = 8;
    private const int RandomLength = 32;
    private const int ChecksumLength = 6;
    private const string Live = "pk_live_";
    private const string Test = "pk_test_";
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private static readonly SearchValues<char> Base62 = SearchValues.Create(Digits);
    private static readonly uint[] Crc = Table();

    /// <summary>Generates a new key.</summary>
    /// <param name="isTest">Whether the key is for the sandbox.</param>
    public static string New(bool isTest)
    {
        Span<char> key = stackalloc char[Length];
        (isTest ? Test : Live).CopyTo(key);
        RandomNumberGenerator.GetItems(Digits, key.Slice(PrefixLength, RandomLength));
        Checksum(key.Slice(PrefixLength, RandomLength), key[(PrefixLength + RandomLength)..]);
        return key.ToString();
    }

    /// <summary>Whether the text is a whole key with the right checksum. Needs no lookup.</summary>
    public static bool IsValid(ReadOnlySpan<char> key)
    {
        if (key.Length != Length || !(key.StartsWith(Live) || key.StartsWith(Test)) || key[PrefixLength..].ContainsAnyExcept(Base62))
        {
            return false;
        }

        Span<char> checksum = stackalloc char[ChecksumLength];
        Checksum(key.Slice(PrefixLength, RandomLength), checksum);
        return key[(PrefixLength + RandomLength)..].SequenceEqual(checksum);
    }

    /// <summary>Whether a well-formed key is a test key.</summary>
    public static bool IsTest(ReadOnlySpan<char> key) => key.StartsWith(Test);

    /// <summary>The first part of a key that may always be shown: <c>pk_live_</c> or <c>pk_test_</c> and two more characters.</summary>
    internal static string PrefixOf(string key) => key[..(PrefixLength + 2)];

    /// <summary>The last four characters of a key, which may always be shown.</summary>
    internal static string LastFourOf(string key) => key[^4..];

    private static void Checksum(ReadOnlySpan<char> random, Span<char> digits)
    {
        var crc = uint.MaxValue;
        foreach (var c in random)
        {
            crc = Crc[(byte)(crc ^ c)] ^ (crc >> 8);
        }

        crc = ~crc;
        for (var i = ChecksumLength - 1; i >= 0; i--)
        {
            (crc, var digit) = Math.DivRem(crc, 62u);
            digits[i] = Digits[(int)digit];
        }
    }

    private static uint[] Table()
    {
        var table = new uint[256];
        for (var i = 0u; i < 256; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++)
            {
                value = (value & 1) == 1 ? 0xEDB88320 ^ (value >> 1) : value >> 1;
            }

            table[i] = value;
        }

        return table;
    }
}
