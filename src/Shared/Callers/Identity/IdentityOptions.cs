using Bff.Configuration;

namespace Bff.Callers.Identity;

/// <summary>Section <c>Identity</c>.</summary>
[Settings("Identity")]
internal sealed class IdentityOptions
{
    /// <summary>Adds <c>X-Identity-Token</c> towards services: a signed, short-lived statement of the identity headers.</summary>
    [Setting]
    public bool SignedAssertion { get; set; }
}
