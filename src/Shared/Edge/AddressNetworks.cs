using System.Net;

namespace Bff.Edge;

/// <summary>Networks that an address must be in, in CIDR form (RFC 4632, RFC 4291); a single address is a network of one.</summary>
public static class AddressNetworks
{
    private const int MappedBits = 96;

    /// <summary>What no client comes from: it stands for a text that is no network, where leaving it out would admit anybody.</summary>
    public static IPNetwork Nowhere { get; } = new(IPAddress.Broadcast, 32);

    /// <summary>
    /// Reads <c>203.0.113.0/24</c>, <c>2001:db8::/32</c> or one address. IPv4 is four decimal numbers and nothing else: the framework also
    /// takes <c>010.0.0.1</c> for 8.0.0.1 and <c>10.1</c> for 10.0.0.1. IPv4 that is written as IPv6 is IPv4.
    /// </summary>
    public static bool TryParse(string? text, out IPNetwork network)
    {
        network = default;
        if (text is null || !IsPlain(text))
        {
            return false;
        }

        if (IPAddress.TryParse(text, out var address) && address.ScopeIdOf() == 0)
        {
            network = new(address, address.GetAddressBytes().Length * 8);
        }
        else if (!IPNetwork.TryParse(text, out network))
        {
            return false;
        }

        network = Unmapped(network);
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

    /// <summary>Whether the address, or that of the network, means the same to every reader.</summary>
    internal static bool IsPlain(string text)
    {
        var end = text.IndexOf('/', StringComparison.Ordinal);
        var written = end < 0 ? text : text.AsSpan(0, end);
        return IPAddress.TryParse(written, out var address)
            && (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 || written.SequenceEqual(address.ToString()));
    }

    private static IPNetwork Unmapped(IPNetwork network) =>
        network.BaseAddress.IsIPv4MappedToIPv6 && network.PrefixLength >= MappedBits
            ? new(network.BaseAddress.MapToIPv4(), network.PrefixLength - MappedBits)
            : network;

    private static long ScopeIdOf(this IPAddress address) =>
        address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? address.ScopeId : 0;
}
