using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Bff.Caching;

/// <summary>
/// The format of a fragment in Redis. Bytes: 8 checksum (SHA-256 of the name and the rest, truncated), 1 format, 8 time (Unix ms), 1 number
/// of tags, 8 version of each tag, the JSON. In the second format the service's validators come before the JSON, each after its length in 2
/// bytes. Instances of an earlier version ignore such a value. The checksum covers the name, so a value is invalid under another key.
/// </summary>
internal static class SharedFragmentFormat
{
    private const byte Format = 1;
    private const byte WithValidators = 2;
    private const int Head = 8 + 1 + 8 + 1;

    public static byte[] Write(string name, ulong[] versions, ReadOnlySpan<byte> json, KeptValidators validators, DateTimeOffset since)
    {
        var told = Write(validators);
        var value = new byte[Head + 8 * versions.Length + told.Length + json.Length];
        var span = value.AsSpan();
        span[8] = told.Length == 0 ? Format : WithValidators;
        BinaryPrimitives.WriteInt64BigEndian(span[9..], since.ToUnixTimeMilliseconds());
        span[17] = (byte)versions.Length;
        for (var i = 0; i < versions.Length; i++)
        {
            BinaryPrimitives.WriteUInt64BigEndian(span[(Head + 8 * i)..], versions[i]);
        }

        told.CopyTo(span[(Head + 8 * versions.Length)..]);
        json.CopyTo(span[(Head + 8 * versions.Length + told.Length)..]);
        Checksum(name, span[8..], span[..8]);
        return value;
    }

    /// <summary>Reads a value; null when it is damaged, or has another format or other versions.</summary>
    public static ReadOnlyMemory<byte>? Read(
        string name,
        ulong[] versions,
        ReadOnlyMemory<byte> value,
        out DateTimeOffset since,
        out KeptValidators validators
    )
    {
        (since, validators) = (default, default);
        var span = value.Span;
        Span<byte> checksum = stackalloc byte[8];
        if (span.Length < Head + 8 * versions.Length || span[8] is not (Format or WithValidators) || span[17] != versions.Length)
        {
            return null;
        }

        Checksum(name, span[8..], checksum);
        if (!checksum.SequenceEqual(span[..8]))
        {
            return null;
        }

        for (var i = 0; i < versions.Length; i++)
        {
            if (BinaryPrimitives.ReadUInt64BigEndian(span[(Head + 8 * i)..]) != versions[i])
            {
                return null;
            }
        }

        since = DateTimeOffset.FromUnixTimeMilliseconds(BinaryPrimitives.ReadInt64BigEndian(span[9..]));
        var rest = value[(Head + 8 * versions.Length)..];
        if (span[8] == WithValidators)
        {
            validators = new(Take(ref rest), Take(ref rest));
        }

        return rest;
    }

    private static byte[] Write(KeptValidators validators)
    {
        if (validators.IsNothing)
        {
            return [];
        }

        var (tag, time) = (Encoding.UTF8.GetBytes(validators.ETag ?? ""), Encoding.UTF8.GetBytes(validators.LastModified ?? ""));
        if (tag.Length > ushort.MaxValue || time.Length > ushort.MaxValue)
        {
            return [];
        }

        var told = new byte[4 + tag.Length + time.Length];
        BinaryPrimitives.WriteUInt16BigEndian(told, (ushort)tag.Length);
        tag.CopyTo(told, 2);
        BinaryPrimitives.WriteUInt16BigEndian(told.AsSpan(2 + tag.Length), (ushort)time.Length);
        time.CopyTo(told, 4 + tag.Length);
        return told;
    }

    private static string? Take(ref ReadOnlyMemory<byte> rest)
    {
        var length = BinaryPrimitives.ReadUInt16BigEndian(rest.Span);
        var text = length == 0 ? null : Encoding.UTF8.GetString(rest.Span.Slice(2, length));
        rest = rest[(2 + length)..];
        return text;
    }

    private static void Checksum(string name, ReadOnlySpan<byte> rest, Span<byte> checksum)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(name));
        hash.AppendData(rest);
        Span<byte> whole = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(whole);
        whole[..8].CopyTo(checksum);
    }
}
