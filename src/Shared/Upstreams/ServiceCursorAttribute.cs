namespace Bff.Upstreams;

/// <summary>
/// Says that a member of a service's document is the place where a list goes on. It becomes a part of the client's cursor, which is sealed,
/// stands in a <c>Link</c> header and comes back in an address: a document whose cursor has more than <see cref="MaxBytes"/> bytes of UTF-8
/// or a control character is garbage, and so is one whose cursor is empty where the member has to be there.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ServiceCursorAttribute : Attribute
{
    /// <summary>2 KiB: sealed they fit into a header of 4 KiB, which is what proxies take by default.</summary>
    public const int MaxBytes = 2048;
}
