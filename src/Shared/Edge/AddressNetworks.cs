using System.Net;

namespace Bff.Edge;

/// <summary>Networks that an address must be in, in CIDR form (RFC 4632, RFC 4291); a single address is a network of one.</summary>
public static class AddressNetworks
{
    /// <summary>Reads <c>203.0.113.0/24</c>, <c>2001:db8::/32</c> or one address.</summary>
    public static bool TryParse(string? text, out IPNetwork network)
    {
        if (IPNetwork.TryParse(text, out network))
        {
            return true;
        }

        if (text is null || !IPAddress.TryParse(text, out var address) || address.ScopeIdOf() != 0)
        {
            return false;
        }

        network = new(address, address.GetAddressBytes().Length * 8);
        return true;
    }

    /// <summary>Whether the address is in any of them. IPv4 that comes over IPv6 is IPv4.</summary>
    public static bool Contains(IReadOnlyList<IPNetwork> networks, IPAddress? address)
    {
        if (address is null)
        {
            return false;
        }

        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        for (var i = 0; i < networks.Count; i++)
        {
            if (networks[i].Contains(plain))
            {
                return true;
            }
        }

        return false;
    }

    private static long ScopeIdOf(this IPAddress address) =>
        address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? address.ScopeId : 0;
}
