using System.Buffers;
using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Bff.Requests;

namespace Bff.RateLimiting;

/// <summary>Turns callers and tenants into parts of keys.</summary>
internal static class BucketKeys
{
    private static readonly SearchValues<char> Plain = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-@|"
    );

    /// <summary>
    /// Returns the name as a part of a key. A claim may hold anything, so a name that is long or could end a hash tag is replaced with a
    /// digest, which no plain name can equal.
    /// </summary>
    public static string Safe(string name) =>
        name.Length is > 0 and <= 64 && !name.AsSpan().ContainsAnyExcept(Plain)
            ? name
            : "#" + Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 18));

    /// <summary>
    /// Returns the key of a caller: an API key's id, an application's client id, or the subject of any other caller. Sandbox keys are kept
    /// apart from live ones.
    /// </summary>
    public static string Of(Caller caller) =>
        caller switch
        {
            { KeyId: { } key } => "key:" + Safe(key) + (caller.IsSandbox ? ":test" : ""),
            { IsApplication: true, Client: { } client } => "client:" + Safe(client),
            _ => "sub:" + Safe(caller.Subject) + (caller.IsSandbox ? ":test" : ""),
        };

    /// <summary>Groups addresses: each IPv4 address by itself, IPv6 addresses by /64, which is what one subscriber gets.</summary>
    public static UInt128 Of(IPAddress? address)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        if (address is null)
        {
            return 0;
        }

        if (address.IsIPv4MappedToIPv6 || address.AddressFamily == AddressFamily.InterNetwork)
        {
            Span<byte> all = stackalloc byte[16];
            address.TryWriteBytes(all, out var written);
            all[(written - 4)..written].CopyTo(bytes[12..]);
            bytes[11] = 1; // Differs from every /64, whose lower half is zero.
        }
        else
        {
            address.TryWriteBytes(bytes, out _);
            bytes[8..].Clear();
        }

        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    /// <summary>Returns the key of an address group.</summary>
    public static string Of(UInt128 address) => "addr:" + address.ToString("x", System.Globalization.CultureInfo.InvariantCulture);
}
