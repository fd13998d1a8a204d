using System.Buffers.Binary;

namespace Bff.Requests;

/// <summary>
/// Creates request ids: UUIDs of version 7 (RFC 9562 section 5.7) without hyphens. Ids must be unique, but need not be unguessable. So,
/// unlike <see cref="Guid.CreateVersion7()"/>, this does not ask the operating system for random bytes, which would be a system call per
/// request.
/// </summary>
internal static class RequestId
{
    public static string New(DateTimeOffset now)
    {
        Span<byte> id = stackalloc byte[16];
        BinaryPrimitives.WriteInt64BigEndian(id, now.ToUnixTimeMilliseconds() << 16);
        Random.Shared.NextBytes(id[6..]);
        id[6] = (byte)(0x70 | (id[6] & 0x0F));
        id[8] = (byte)(0x80 | (id[8] & 0x3F));
        return Convert.ToHexStringLower(id);
    }
}
