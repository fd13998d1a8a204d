using System.Net;

namespace Bff.Edge;

/// <summary>Matches addresses against networks in CIDR form (RFC 4632, RFC 4291). A single address is a network of one.</summary>
public static class AddressNetworks
{
    private const int MappedBits = 96;

    /// <summary>A network that no client comes from. It stands for text that is no network; ignoring that would admit everybody.</summary>
    public static IPNetwork Nowhere { get; } = new(IPAddress.Broadcast, 32);

    /// <summary>
    /// Parses <c>203.0.113.0/24</c>, <c>2001:db8::/32</c> or one address. IPv4 must be four decimal numbers, because the framework also
    /// reads <c>010.0.0.1</c> as 8.0.0.1 and <c>10.1</c> as 10.0.0.1. IPv4 written as IPv6 is treated as IPv4.
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

    /// <summary>Whether the address is in any of the networks. IPv4 over IPv6 is treated as IPv4.</summary>
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

    /// <summary>Whether the address, or the network's address, has the same meaning to every reader.</summary>
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
