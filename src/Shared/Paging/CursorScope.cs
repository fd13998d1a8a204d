using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Bff.Edge;
using Bff.State;

namespace Bff.Paging;

/// <summary>
/// The cursors of one list of one caller: AES-256-GCM with the binding as associated data. The nonce is made of what is sealed (as in
/// RFC 5297), so the same place of the same list always has the same cursor.
/// </summary>
public sealed class CursorScope
{
    private const int MaxLength = 4096;
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private readonly IKeyRing _keys;
    private readonly string _purpose;
    private readonly RingKey _current;
    private readonly byte[] _binding;

    internal CursorScope(IKeyRing keys, string purpose, RingKey current, byte[] binding) =>
        (_keys, _purpose, _current, _binding) = (keys, purpose, current, binding);

    /// <summary>What the client gets for a service's cursor (URL-safe); null for null or empty, which is the end of the list.</summary>
    public string? Seal(string? cursor)
    {
        if (string.IsNullOrEmpty(cursor))
        {
            return null;
        }

        var plain = Encoding.UTF8.GetBytes(cursor);
        var id = Encoding.ASCII.GetBytes(_current.Id);
        var sealedBytes = new byte[1 + id.Length + NonceLength + TagLength + plain.Length];
        sealedBytes[0] = (byte)id.Length;
        id.CopyTo(sealedBytes, 1);
        var nonce = sealedBytes.AsSpan(1 + id.Length, NonceLength);
        HMACSHA256.HashData(_current.Material.Span[32..], [.. _binding, .. plain]).AsSpan(0, NonceLength).CopyTo(nonce);
        var tag = sealedBytes.AsSpan(1 + id.Length + NonceLength, TagLength);
        using var aes = new AesGcm(_current.Material.Span[..32], TagLength);
        aes.Encrypt(nonce, plain, sealedBytes.AsSpan(1 + id.Length + NonceLength + TagLength), tag, _binding);
        return Base64Url.EncodeToString(sealedBytes);
    }

    /// <summary>The service's cursor; null for null (the beginning of the list).</summary>
    /// <exception cref="ProblemException">400 <c>invalid_cursor</c>: tampered with, too old, or of another list or caller.</exception>
    public async ValueTask<string?> Open(string? cursor, CancellationToken cancellation = default)
    {
        if (cursor is null)
        {
            return null;
        }

        return await TryOpen(cursor, cancellation) ?? throw new ProblemException(new Problem(ProblemCodes.InvalidCursor));
    }

    private async ValueTask<string?> TryOpen(string cursor, CancellationToken cancellation)
    {
        if (cursor.Length is 0 or > MaxLength || !IsCanonical(cursor))
        {
            return null;
        }

        var bytes = Base64Url.DecodeFromChars(cursor);
        if (bytes.Length < 1 || bytes.Length <= 1 + bytes[0] + NonceLength + TagLength)
        {
            return null;
        }

        var idLength = bytes[0];
        var id = Encoding.ASCII.GetString(bytes, 1, idLength);
        var key = id == _current.Id ? _current : await _keys.Find(_purpose, id, cancellation);
        return key is null ? null : Decrypt(bytes.AsSpan(1 + idLength), key);
    }

    private string? Decrypt(ReadOnlySpan<byte> rest, RingKey key)
    {
        var plain = new byte[rest.Length - NonceLength - TagLength];
        using var aes = new AesGcm(key.Material.Span[..32], TagLength);
        try
        {
            aes.Decrypt(rest[..NonceLength], rest[(NonceLength + TagLength)..], rest.Slice(NonceLength, TagLength), plain, _binding);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }

        return Encoding.UTF8.GetString(plain);
    }

    // One spelling per cursor: no padding, no white space, no spare bits.
    private static bool IsCanonical(string text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
            {
                return false;
            }
        }

        return Base64Url.IsValid(text) && Base64Url.EncodeToString(Base64Url.DecodeFromChars(text)) == text;
    }
}
