using System.Text;
using System.Text.Json;

namespace Bff.Upstreams;

/// <summary>
/// Marks a member of a service's document as the cursor where a list continues. It becomes part of the client's cursor, which is sealed,
/// sent in a <c>Link</c> header, and returned in an address. A document is invalid if the cursor has more than <see cref="MaxBytes"/> bytes
/// of UTF-8 or a control character, or if it is empty and the member is required.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ServiceCursorAttribute : Attribute
{
    /// <summary>2 KiB: sealed, such a cursor fits into a header of 4 KiB, the default limit of proxies.</summary>
    public const int MaxBytes = 2048;

    /// <summary>
    /// Returns the cursor if it is valid. Hand-written readers of pages call this; <see cref="StrictDocument"/> calls it for all others.
    /// </summary>
    /// <param name="cursor">The cursor as the service wrote it; null if there is none.</param>
    /// <param name="mayBeEmpty">Whether the member is optional, so that it may be empty.</param>
    /// <exception cref="JsonException">The cursor is invalid: no client could send it back.</exception>
    public static string? Checked(string? cursor, bool mayBeEmpty = true)
    {
        if (cursor is not null && (cursor.Length == 0 ? !mayBeEmpty : IsTooLong(cursor) || cursor.Any(char.IsControl)))
        {
            throw new JsonException("A cursor is invalid.");
        }

        return cursor;
    }

    private static bool IsTooLong(string cursor) => cursor.Length > MaxBytes || Encoding.UTF8.GetByteCount(cursor) > MaxBytes;
}
