namespace Bff.Configuration;

/// <summary>Knows the names that may replace a name in angle brackets in a declared key.</summary>
internal interface IKnownNames
{
    /// <summary>Whether the key has the declared form but contains a name that does not exist in this host.</summary>
    /// <param name="key">The segments of the key.</param>
    /// <param name="nearest">The key with the most similar existing name; null when none is similar.</param>
    bool IsUnknown(string[] key, out string? nearest);
}
