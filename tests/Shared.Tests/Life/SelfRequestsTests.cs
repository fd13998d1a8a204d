using Bff.Life;

namespace Bff.Shared.Tests.Life;

/// <summary>Where a host finds itself, and by what name it calls itself, to warm up.</summary>
public sealed class SelfRequestsTests
{
    [Theory]
    [InlineData("http://[::1]:8080", "http://[::1]:8080/")]
    [InlineData("http://[::]:8080", "http://[::1]:8080/")]
    [InlineData("http://[fd00::7]:8080", "http://[fd00::7]:8080/")]
    [InlineData("http://0.0.0.0:8080", "http://127.0.0.1:8080/")]
    [InlineData("http://127.0.0.1:8080", "http://127.0.0.1:8080/")]
    [InlineData("http://10.0.0.7:8080", "http://10.0.0.7:8080/")]
    [InlineData("http://*:8080", "http://localhost:8080/")]
    [InlineData("http://localhost:8080", "http://localhost:8080/")]
    [InlineData("https://[::]:8443", null)]
    public void A_host_asks_itself_where_it_listens(string listens, string? asked) =>
        Assert.Equal(asked, SelfRequests.Address(["https://127.0.0.1:1", listens])?.AbsoluteUri);

    [Theory]
    [InlineData("", null)]
    [InlineData("api.example.com;other.example.com", "api.example.com")]
    [InlineData("*.example.com", "warm-up.example.com")]
    public void It_calls_itself_by_a_name_that_it_answers_to(string allowed, string? host) =>
        Assert.Equal(host, SelfRequests.Host(allowed.Split(';', StringSplitOptions.RemoveEmptyEntries)));
}
