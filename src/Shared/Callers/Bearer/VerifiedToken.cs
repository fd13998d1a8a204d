using Bff.Callers.Keys;
using Bff.Requests;

namespace Bff.Callers.Bearer;

/// <summary>A caller whose token was verified, with what its validity depends on.</summary>
/// <param name="caller">The caller.</param>
/// <param name="until">When the token stops being accepted, with clock skew.</param>
/// <param name="key">The key that signed the token; null for an introspected token.</param>
/// <param name="keys">The set in which the key was last seen.</param>
/// <param name="source">The provider's keys, of which the key is one.</param>
internal sealed class VerifiedToken(Caller caller, DateTimeOffset until, VerificationKey? key, SigningKeySet? keys, SigningKeys? source)
{
    private SigningKeySet? _keys = keys;

    /// <summary>The result for the caller.</summary>
    public CallerResult Result { get; } = CallerResult.Ok(caller);

    /// <summary>When the token stops being accepted, with clock skew.</summary>
    public DateTimeOffset Until { get; } = until;

    /// <summary>Whether the key is still published. It is looked up only when the keys have changed.</summary>
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
