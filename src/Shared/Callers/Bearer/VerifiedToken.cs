using Bff.Callers.Keys;
using Bff.Requests;

namespace Bff.Callers.Bearer;

/// <summary>A caller whose token was verified, with what it depends on.</summary>
/// <param name="caller">Who.</param>
/// <param name="until">From when on it is not accepted any more, skew included.</param>
/// <param name="key">What it was signed with; null for an introspected token.</param>
/// <param name="keys">The set that the key was last seen in.</param>
/// <param name="source">Whose keys they are.</param>
internal sealed class VerifiedToken(Caller caller, DateTimeOffset until, VerificationKey? key, SigningKeySet? keys, SigningKeys? source)
{
    private SigningKeySet? _keys = keys;

    /// <summary>Who.</summary>
    public CallerResult Result { get; } = CallerResult.Ok(caller);

    /// <summary>From when on it is not accepted any more, skew included.</summary>
    public DateTimeOffset Until { get; } = until;

    /// <summary>Whether the key has not been withdrawn; looked up only when the keys have changed.</summary>
    public bool IsKeyGood()
    {
        if (key is null || source!.Current is var current && ReferenceEquals(_keys, current))
        {
            return true;
        }

        if (!current.Contains(key))
        {
            return false;
        }

        _keys = current;
        return true;
    }
}
