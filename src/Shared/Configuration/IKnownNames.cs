namespace Bff.Configuration;

/// <summary>Knows the names that can stand where a declared key has a name in angle brackets.</summary>
internal interface IKnownNames
{
    /// <summary>Whether the key has the declared form, and a name in it that this host gives to nothing.</summary>
    /// <param name="key">Its segments.</param>
    /// <param name="nearest">The key with the name that is spelt most like that one; null when none is near.</param>
    bool IsUnknown(string[] key, out string? nearest);
}
