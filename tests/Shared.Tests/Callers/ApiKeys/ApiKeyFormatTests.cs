using System.Net;
using Bff.Callers.ApiKeys;
using Bff.Edge;

namespace Bff.Shared.Tests.Callers.ApiKeys;

public sealed class ApiKeyFormatTests
{
    [Fact]
    public void A_stored_network_that_cannot_be_parsed_allows_no_address()
    {
        var record = new ApiKeyRecord
        {
            Id = "key_1",
            Tenant = "acme",
            Name = "n",
            Hash = "h",
            Prefix = "pk_live_",
            LastFour = "abcd",
            AllowedAddresses = ["10.1/16"],
        };

        Assert.False(AddressNetworks.Contains(record.ToCaller().AllowedAddresses!, IPAddress.Parse("10.0.0.1")));
    }

    [Theory]
    [InlineData(false, "pk_live_")]
    [InlineData(true, "pk_test_")]
    public void A_new_key_is_valid_and_shows_its_mode(bool isTest, string prefix)
    {
        var key = ApiKeyFormat.New(isTest);
        Assert.Equal(46, key.Length);
        Assert.StartsWith(prefix, key, StringComparison.Ordinal);
        Assert.True(ApiKeyFormat.IsValid(key));
        Assert.Equal(isTest, ApiKeyFormat.IsTest(key));
    }

    /// <summary>The expected values were computed with zlib's crc32, not with this code.</summary>
    [Theory]
    [InlineData("00000000000000000000000000000000", "2wjyrI")]
    [InlineData("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef", "07kqpP")]
    public void The_checksum_is_the_crc32_in_base62(string random, string checksum) =>
        Assert.True(ApiKeyFormat.IsValid("pk_live_" + random + checksum));

    [Fact]
    public void Every_single_mistyped_character_is_detected()
    {
        var key = ApiKeyFormat.New(isTest: false);
        for (var i = 0; i < key.Length; i++)
        {
            var wrong = key.ToCharArray();
            wrong[i] = wrong[i] == 'x' ? 'y' : 'x';
            Assert.False(ApiKeyFormat.IsValid(wrong), new string(wrong));
        }

        Assert.False(ApiKeyFormat.IsValid(key.AsSpan(0, key.Length - 1)));
        Assert.False(ApiKeyFormat.IsValid(key + "0"));
        Assert.False(ApiKeyFormat.IsValid(key.Replace("pk_live_", "pk_test_", StringComparison.Ordinal)[..45] + "é"));
    }
}
