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
}
