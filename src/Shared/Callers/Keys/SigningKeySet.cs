using System.Collections.Frozen;
using Bff.Callers.Providers;

namespace Bff.Callers.Keys;

/// <summary>The currently valid keys and the issuers that sign with them. Immutable; a new set replaces it as a whole.</summary>
internal sealed class SigningKeySet
{
    private readonly VerificationKey[] _keys;
    private readonly FrozenSet<string> _thumbprints;

    public SigningKeySet(IEnumerable<VerificationKey> keys, IEnumerable<string> issuers, IReadOnlyList<string>? tenants = null)
    {
        _keys = [.. keys];
        _thumbprints = _keys.Select(k => k.Thumbprint).ToFrozenSet();
        Issuers = new IssuerRule(issuers, tenants ?? []);
    }

    /// <summary>The accepted values of <c>iss</c>.</summary>
    public IssuerRule Issuers { get; }

    /// <summary>Number of keys.</summary>
    public int Count => _keys.Length;

    /// <summary>Whether the key is still valid.</summary>
    public bool Contains(VerificationKey key) => _thumbprints.Contains(key.Thumbprint);

    /// <summary>
    /// Returns the keys that may have signed: of those that support the algorithm, the ones with this id and the ones without an id.
    /// Without an id in the token, all that support the algorithm.
    /// </summary>
    public List<VerificationKey> Candidates(string? kid, string algorithm)
    {
        var candidates = new List<VerificationKey>(1);
        foreach (var key in _keys)
        {
            if (
                key.Algorithms.Contains(algorithm)
                && (kid is null || key.Kid is null || string.Equals(key.Kid, kid, StringComparison.Ordinal))
            )
            {
                candidates.Add(key);
            }
        }

        return candidates;
    }

    /// <summary>Whether the other set has the same keys with the same ids and the same issuers.</summary>
    public bool IsSameAs(SigningKeySet other) =>
        Issuers.Names.SequenceEqual(other.Issuers.Names) && _keys.Select(Identity).SequenceEqual(other._keys.Select(Identity));

    private static (string?, string, int) Identity(VerificationKey key) => (key.Kid, key.Thumbprint, key.Algorithms.Count);
}
