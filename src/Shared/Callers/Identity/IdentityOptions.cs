using Bff.Configuration;

namespace Bff.Callers.Identity;

/// <summary>Section <c>Identity</c>.</summary>
[Settings("Identity")]
internal sealed class IdentityOptions
{
    /// <summary>
    /// Whether services also receive <c>X-Identity-Token</c>, a short-lived signed token with the content of the identity headers.
    /// </summary>
    [Setting]
    public bool SignedAssertion { get; set; }
}
