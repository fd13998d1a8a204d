using System.Net;
using Bff.Edge;
using Bff.Requests;

namespace PartnerBff.Features.Keys;

/// <summary>
/// A credential gives a key at most what it has: its scopes, its mode, and its time. Otherwise <c>keys.manage</c> alone would be every
/// scope, for ever. A key without an end asks for more than a credential that ends, a token included: lasting keys come from the portal or
/// from a key without an end. Ending a key gives nothing, so a caller that manages keys may end every key that it sees.
/// </summary>
internal static class KeyGrant
{
    /// <summary>Null when the caller may make, or be shown, a key of these scopes and this end.</summary>
    public static Problem? Excess(Caller caller, IEnumerable<string> scopes, DateTimeOffset? expiresAt, IReadOnlyList<string>? addresses)
    {
        var missing = scopes.Where(s => !caller.HasScope(s)).Order(StringComparer.Ordinal).ToList();
        if (missing.Count > 0)
        {
            return new(ProblemCodes.InsufficientScope)
            {
                Detail = $"A key has at most the scopes of the credential that asks for it. This one lacks {string.Join(", ", missing)}.",
            };
        }

        if (caller.AllowedAddresses is { Count: > 0 } own && (addresses is not { Count: > 0 } || !addresses.All(a => IsWithin(own, a))))
        {
            return new(ProblemCodes.Forbidden) { Detail = "A key may be used from no more addresses than the key that asks for it." };
        }

        return caller.ExpiresAt is { } end && !(expiresAt <= end)
            ? new(ProblemCodes.Forbidden)
            {
                Detail = "A key ends no later than the credential that asks for it. Ask with one that lasts longer.",
            }
            : null;
    }

    /// <summary>From where a key may be used for which nothing was asked: from where its maker may.</summary>
    public static IReadOnlyList<string>? Addresses(Caller caller, IReadOnlyList<string>? asked) =>
        asked is { Count: > 0 } ? asked : caller.AllowedAddresses?.Select(n => n.ToString()).ToList();

    private static bool IsWithin(IReadOnlyList<IPNetwork> networks, string text) =>
        AddressNetworks.TryParse(text, out var network)
        && networks.Any(n => n.PrefixLength <= network.PrefixLength && n.Contains(network.BaseAddress));

    /// <summary>When a key ends for which no end was asked: with its maker, if that ends.</summary>
    public static DateTimeOffset? End(Caller caller, DateTimeOffset? asked) => asked ?? caller.ExpiresAt;
}
