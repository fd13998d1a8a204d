using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Bff.State;

/// <summary>
/// Encrypts and authenticates data with AES-256-GCM (NIST SP 800-38D) and keys of an <see cref="IKeyRing"/>. Without the keys, nobody can
/// read, change or forge a box or use it in another context. Layout: length of the key's id (1 byte), the id, nonce (12 bytes), tag (16
/// bytes), ciphertext.
/// </summary>
public static class SealedBox
{
    private const int NonceLength = 12;
    private const int TagLength = 16;
    private const int KeyLength = 32;

    /// <summary>
    /// Seals data into a box. The nonce is derived from the data (as in RFC 5297), so the same data in the same context always gives the
    /// same box.
    /// </summary>
    /// <param name="key">Key of the ring.</param>
    /// <param name="plain">Data to seal.</param>
    /// <param name="context">Context that the data belongs to; opening needs the same context.</param>
    public static byte[] Seal(RingKey key, ReadOnlySpan<byte> plain, ReadOnlySpan<byte> context)
    {
        var id = Encoding.ASCII.GetBytes(key.Id);
        var box = new byte[1 + id.Length + NonceLength + TagLength + plain.Length];
        box[0] = (byte)id.Length;
        id.CopyTo(box, 1);
        var nonce = box.AsSpan(1 + id.Length, NonceLength);
        Nonce(key, plain, context, nonce);
        var tag = box.AsSpan(1 + id.Length + NonceLength, TagLength);
        using var aes = new AesGcm(key.Material.Span[..KeyLength], TagLength);
        aes.Encrypt(nonce, plain, box.AsSpan(1 + id.Length + NonceLength + TagLength), tag, context);
        return box;
    }

    /// <summary>
    /// Opens a box. Returns null when it was tampered with, belongs to another context, or its key is unknown or too old.
    /// </summary>
    /// <exception cref="StoreUnavailableException">Redis is unavailable and this instance has never read the purpose's keys.</exception>
    public static async ValueTask<byte[]?> Open(
        IKeyRing keys,
        string purpose,
        ReadOnlyMemory<byte> box,
        ReadOnlyMemory<byte> context,
        CancellationToken cancellation = default
    )
    {
        if (box.Length < 1 || box.Length < 1 + box.Span[0] + NonceLength + TagLength)
        {
            return null;
        }

        var idLength = box.Span[0];
        var key = await keys.Find(purpose, Encoding.ASCII.GetString(box.Span.Slice(1, idLength)), cancellation);
        return key is null ? null : Decrypt(key, box.Span[(1 + idLength)..], context.Span);
    }

    /// <summary>Seals data into URL-safe text.</summary>
    public static string SealText(RingKey key, ReadOnlySpan<byte> plain, ReadOnlySpan<byte> context) =>
        Base64Url.EncodeToString(Seal(key, plain, context));

    /// <summary>
    /// Opens text from <see cref="SealText"/>. Only the exact encoding is accepted: no padding, no white space, no spare bits.
    /// </summary>
    /// <exception cref="StoreUnavailableException">As for <see cref="Open"/>.</exception>
    public static ValueTask<byte[]?> OpenText(
        IKeyRing keys,
        string purpose,
        string text,
        ReadOnlyMemory<byte> context,
        CancellationToken cancellation = default
    )
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
            {
                return new((byte[]?)null);
            }
        }

        if (!Base64Url.IsValid(text))
        {
            return new((byte[]?)null);
        }

        var box = Base64Url.DecodeFromChars(text);
        return Base64Url.EncodeToString(box) == text ? Open(keys, purpose, box, context, cancellation) : new((byte[]?)null);
    }

    private static void Nonce(RingKey key, ReadOnlySpan<byte> plain, ReadOnlySpan<byte> context, Span<byte> nonce)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key.Material.Span[KeyLength..]);
        hmac.AppendData(BitConverter.GetBytes(context.Length));
        hmac.AppendData(context);
        hmac.AppendData(plain);
        hmac.GetHashAndReset().AsSpan(0, NonceLength).CopyTo(nonce);
    }

    private static byte[]? Decrypt(RingKey key, ReadOnlySpan<byte> rest, ReadOnlySpan<byte> context)
    {
        var plain = new byte[rest.Length - NonceLength - TagLength];
        using var aes = new AesGcm(key.Material.Span[..KeyLength], TagLength);
        try
        {
            aes.Decrypt(rest[..NonceLength], rest[(NonceLength + TagLength)..], rest.Slice(NonceLength, TagLength), plain, context);
            return plain;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }
}
