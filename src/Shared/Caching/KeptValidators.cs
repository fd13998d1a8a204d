namespace Bff.Caching;

/// <summary>
/// By what a service recognizes the value that it gave (RFC 9110 section 8.8); both null where it said nothing, as for nearly all.
/// </summary>
/// <param name="ETag">As the service wrote it.</param>
/// <param name="LastModified">As the service wrote it.</param>
internal readonly record struct KeptValidators(string? ETag, string? LastModified)
{
    /// <summary>Whether there is anything to keep.</summary>
    public bool IsNothing => ETag is null && LastModified is null;
}
