using System.Net;
using Bff.Edge;

namespace Bff.Shared.Tests.Edge;

public sealed class AddressNetworksTests
{
    [Theory]
    [InlineData("203.0.113.0/24", "203.0.113.0/24")]
    [InlineData("203.0.113.9", "203.0.113.9/32")]
    [InlineData("0.0.0.0/0", "0.0.0.0/0")]
    [InlineData("2001:db8::/32", "2001:db8::/32")]
    [InlineData("::1", "::1/128")]
    [InlineData("::ffff:10.0.0.0/104", "10.0.0.0/8")]
    [InlineData("::ffff:10.1.2.3", "10.1.2.3/32")]
    public void A_network_is_parsed(string text, string network)
    {
        Assert.True(AddressNetworks.TryParse(text, out var read));
        Assert.Equal(network, read.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/8")]
    [InlineData("10.0.0.0/")]
    [InlineData("10.0.0.0/33")]
    [InlineData("010.0.0.1")] // The framework reads this as 8.0.0.1.
    [InlineData("010.0.0.0/8")]
    [InlineData("10.1")] // The framework reads this as 10.0.0.1.
    [InlineData("1")] // The framework reads this as 0.0.0.1.
    [InlineData("0x7f.0.0.1")] // The framework reads this as 127.0.0.1.
    [InlineData("2130706433")]
    [InlineData("10.0.0.1 ")]
    [InlineData("fe80::1%1")]
    public void An_ambiguous_address_is_not_parsed(string? text) => Assert.False(AddressNetworks.TryParse(text, out _));

    [Fact]
    public void An_IPv4_network_in_IPv6_notation_contains_IPv4_addresses()
    {
        Assert.True(AddressNetworks.TryParse("::ffff:10.0.0.0/104", out var network));

        Assert.True(AddressNetworks.Contains([network], IPAddress.Parse("10.9.8.7")));
        Assert.True(AddressNetworks.Contains([network], IPAddress.Parse("::ffff:10.9.8.7")));
        Assert.False(AddressNetworks.Contains([network], IPAddress.Parse("11.0.0.1")));
    }

    [Fact]
    public void A_stored_text_that_is_no_network_contains_no_address()
    {
        Assert.False(AddressNetworks.Contains([AddressNetworks.Nowhere], IPAddress.Parse("10.0.0.1")));
        Assert.False(AddressNetworks.Contains([AddressNetworks.Nowhere], IPAddress.Loopback));
        Assert.False(AddressNetworks.Contains([AddressNetworks.Nowhere], IPAddress.IPv6Loopback));
    }
}
