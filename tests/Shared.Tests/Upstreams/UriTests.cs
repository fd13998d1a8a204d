using Bff.Upstreams;

namespace Bff.Shared.Tests.Upstreams;

public sealed class UriTests
{
    private static readonly Uri[] Addresses = [new("http://one:1/api/"), new("http://two:2/v2/"), new("http://three:3/")];

    [Theory]
    [InlineData("users/u-1?x=%2F", "users/u-1?x=%2F")] // A path alone.
    [InlineData("http://upstream.invalid/users/u-1?x=%2F", "users/u-1?x=%2F")] // The address of a typed client.
    [InlineData("http://one:1/api/users/u-1?x=1", "users/u-1?x=1")] // The address of a proxied route, made for the first upstream address.
    [InlineData("http://upstream/users/u-1", "users/u-1")] // A path that a host made.
    public void Every_attempt_goes_below_its_own_address(string requested, string path)
    {
        var call = new PooledCall
        {
            Request = new HttpRequestMessage(HttpMethod.Get, new Uri(requested, UriKind.RelativeOrAbsolute)),
            Body = BodyUse.Decoded,
            Deadline = default,
        };

        foreach (var address in Addresses.Concat(Addresses))
        {
            call.Request.RequestUri = call.UriAt(address, Addresses); // An attempt does the same.
            Assert.Equal(address.AbsoluteUri + path, call.Request.RequestUri.AbsoluteUri);
        }
    }
}
