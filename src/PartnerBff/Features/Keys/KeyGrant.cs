using System.Net;
using Bff.Edge;
using Bff.Requests;

namespace PartnerBff.Features.Keys;

/// <summary>
/// Limits a new key to what the requesting credential has: its scopes, its mode and its lifetime. Otherwise <c>keys.manage</c> alone would
/// grant every scope for ever. A credential that expires, such as a token, cannot create a key that does not: lasting keys come from the
/// portal or from a lasting key. Revoking a key grants nothing, so a caller that manages keys may revoke every key that it sees.
/// </summary>
internal static class KeyGrant
{
    /// <summary>Returns null if the caller may create or see a key with these scopes and this expiry; otherwise the problem.</summary>
    public static Problem? Excess(Caller caller, IEnumerable<string> scopes, DateTimeOffset? expiresAt, IReadOnlyList<string>? addresses)
    {
        var missing = scopes.Where(s => !caller.HasScope(s)).Order(StringComparer.Ordinal).ToList();
        if (missing.Count > 0)
        {
            return new(ProblemCodes.InsufficientScope)
            {
                Detail =
                    $"A key has at most the scopes of the credential that creates it. This credential lacks {string.Join(", ", missing)}.",
            };
        }

        if (caller.AllowedAddresses is { Count: > 0 } own && (addresses is not { Count: > 0 } || !addresses.All(a => IsWithin(own, a))))
        {
            return new(ProblemCodes.Forbidden)
            {
                Detail = "A key may be used only from addresses of the key that creates it. Remove the other addresses.",
            };
        }

        return caller.ExpiresAt is { } end && !(expiresAt <= end)
            ? new(ProblemCodes.Forbidden)
            {
                Detail =
                    "A key expires no later than the credential that creates it. Use a credential that lasts "
                    + "longer, or an earlier expires_at.",
            }
            : null;
    }

    /// <summary>Returns the networks of a new key: the requested ones, or those of its creator.</summary>
    public static IReadOnlyList<string>? Addresses(Caller caller, IReadOnlyList<string>? asked) =>
        asked is { Count: > 0 } ? asked : caller.AllowedAddresses?.Select(n => n.ToString()).ToList();

    private static bool IsWithin(IReadOnlyList<IPNetwork> networks, string text) =>
        AddressNetworks.TryParse(text, out var network)
        && networks.Any(n => n.PrefixLength <= network.PrefixLength && n.Contains(network.BaseAddress));

    /// <summary>Returns the expiry of a new key: the requested one, or that of its creator, if any.</summary>
    public static DateTimeOffset? End(Caller caller, DateTimeOffset? asked) => asked ?? caller.ExpiresAt;
}
