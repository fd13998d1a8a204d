using System.Net;
using System.Net.Sockets;

namespace PartnerBff.Webhooks.Addresses;

/// <summary>
/// Decides which addresses are on the public internet (IANA special-purpose registries, RFC 6890). All others could be internal.
/// </summary>
internal static class AddressGuard
{
    private static readonly IPNetwork[] Forbidden4 =
    [
        IPNetwork.Parse("0.0.0.0/8"), // this network
        IPNetwork.Parse("10.0.0.0/8"), // private
        IPNetwork.Parse("100.64.0.0/10"), // carrier-grade NAT
        IPNetwork.Parse("127.0.0.0/8"), // loopback
        IPNetwork.Parse("169.254.0.0/16"), // link-local, cloud metadata
        IPNetwork.Parse("172.16.0.0/12"), // private
        IPNetwork.Parse("192.0.0.0/24"), // protocol assignments
        IPNetwork.Parse("192.0.2.0/24"), // documentation
        IPNetwork.Parse("192.88.99.0/24"), // 6to4 relays
        IPNetwork.Parse("192.168.0.0/16"), // private
        IPNetwork.Parse("198.18.0.0/15"), // benchmarks
        IPNetwork.Parse("198.51.100.0/24"), // documentation
        IPNetwork.Parse("203.0.113.0/24"), // documentation
        IPNetwork.Parse("224.0.0.0/4"), // multicast
        IPNetwork.Parse("240.0.0.0/4"), // reserved, broadcast
    ];

    private static readonly IPNetwork[] Forbidden6 =
    [
        IPNetwork.Parse("2001::/23"), // protocol assignments: Teredo, ORCHID, benchmarks
        IPNetwork.Parse("2001:db8::/32"), // documentation
        IPNetwork.Parse("2002::/16"), // 6to4
        IPNetwork.Parse("3fff::/20"), // documentation
    ];

    public static bool IsPublic(IPAddress address) =>
        address.AddressFamily switch
        {
            AddressFamily.InterNetwork => !Array.Exists(Forbidden4, network => network.Contains(address)),
            AddressFamily.InterNetworkV6 => address.ScopeId == 0
                && IsGlobalUnicast(address)
                && !Array.Exists(Forbidden6, network => network.Contains(address)),
            _ => false,
        };

    /// <summary>
    /// Whether the address is in 2000::/3. Outside of it are loopback, link-local, unique local, multicast, IPv4-mapped, NAT64
    /// (64:ff9b::/96, 64:ff9b:1::/48) and unassigned addresses. Checks the bits, because <see cref="IPNetwork"/> treats IPv4-mapped
    /// addresses as IPv4.
    /// </summary>
    private static bool IsGlobalUnicast(IPAddress address) => !address.IsIPv4MappedToIPv6 && (address.GetAddressBytes()[0] & 0xE0) == 0x20;
}
