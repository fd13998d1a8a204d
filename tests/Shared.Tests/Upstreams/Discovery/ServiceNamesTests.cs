using System.Net;
using System.Net.Sockets;
using Bff.Upstreams.Discovery;
using DnsClient;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.ServiceDiscovery;

namespace Bff.Shared.Tests.Upstreams.Discovery;

/// <summary>Which instances a configured address stands for.</summary>
public sealed class ServiceNamesTests : IAsyncDisposable
{
    private readonly Dictionary<string, IPAddress[]> _dns = [];
    private readonly Dictionary<string, IReadOnlyList<DnsEndPoint>> _services = [];
    private ServiceProvider? _provider;

    [Theory]
    [InlineData("http://orders/", "Services:orders:http:0=http://127.0.0.1:5001", "http://127.0.0.1:5001/")]
    [InlineData("https+http://orders/", "Services:orders:http:0=http://127.0.0.1:5001", "http://127.0.0.1:5001/")]
    [InlineData(
        "https+http://orders/",
        "Services:orders:http:0=http://127.0.0.1:5001;Services:orders:https:0=https://127.0.0.1:5002",
        "https://127.0.0.1:5002/"
    )]
    [InlineData("http://orders/api/", "Services:orders:http:0=http://127.0.0.1:5001", "http://127.0.0.1:5001/api/")]
    [InlineData(
        "http://orders/",
        "Services:orders:http:0=http://127.0.0.1:5001;Services:orders:http:1=http://127.0.0.1:5002",
        "http://127.0.0.1:5001/ http://127.0.0.1:5002/"
    )]
    [InlineData("http://_grpc.catalog/", "Services:catalog:grpc:0=127.0.0.1:6000", "http://127.0.0.1:6000/")]
    [InlineData("http://orders/", "Services:orders:http:0=http://localhost:5001", "http://localhost:5001/")]
    public async Task Configuration_says_where_a_name_is(string written, string settings, string found) =>
        Assert.Equal(found, await Found(written, settings));

    [Fact]
    public async Task A_DNS_name_stands_for_all_of_its_addresses_and_stays_the_host_name()
    {
        _dns["orders.internal"] = [IPAddress.Parse("10.0.0.1"), IPAddress.Parse("10.0.0.2"), IPAddress.Parse("fd00::1")];

        Assert.Equal(
            "http://10.0.0.1:8080/base/ (orders.internal:8080) http://10.0.0.2:8080/base/ (orders.internal:8080)",
            await Found("http://orders.internal:8080/base/")
        );
        Assert.Equal(
            "https://10.0.0.1/ (orders.internal) https://10.0.0.2/ (orders.internal)",
            await Found("https+http://orders.internal/")
        );
    }

    [Fact]
    public async Task The_family_that_the_system_prefers_is_taken()
    {
        _dns["orders"] = [IPAddress.Parse("fd00::1"), IPAddress.Parse("10.0.0.1"), IPAddress.Parse("fd00::2")];

        Assert.Equal("http://[fd00::1]/ (orders) http://[fd00::2]/ (orders)", await Found("http://orders/"));
    }

    [Fact]
    public async Task A_host_name_in_a_configured_endpoint_is_resolved()
    {
        _dns["orders.internal"] = [IPAddress.Parse("10.0.0.1")];

        Assert.Equal(
            "http://10.0.0.1:8080/ (orders.internal:8080)",
            await Found("http://orders/", "Services:orders:http:0=http://orders.internal:8080")
        );
    }

    [Fact]
    public async Task A_named_endpoint_that_is_not_configured_is_looked_up_as_a_DNS_service()
    {
        _services["_grpc._tcp.catalog"] = [new("catalog-0.internal", 6001), new("catalog-1.internal", 6002)];
        _dns["catalog-0.internal"] = [IPAddress.Parse("10.0.0.1")];
        _dns["catalog-1.internal"] = [IPAddress.Parse("10.0.0.2")];

        Assert.Equal(
            "http://10.0.0.1:6001/ (catalog-0.internal:6001) http://10.0.0.2:6002/ (catalog-1.internal:6002)",
            await Found("http://_grpc.catalog/")
        );
    }

    [Theory]
    [InlineData("http://127.0.0.1:5001/", false)]
    [InlineData("http://[::1]:5001/", false)]
    [InlineData("http://localhost:5001/", false)]
    [InlineData("http://orders.localhost/", false)]
    [InlineData("http://orders/", true)]
    [InlineData("https://orders.example:8443/api/", true)]
    [InlineData("https+http://localhost/", true)]
    [InlineData("http://_grpc.catalog/", true)]
    public void Addresses_without_a_name_are_taken_as_they_are(string written, bool isName) =>
        Assert.Equal(isName, ServiceNames.IsName(new Uri(written)));

    [Fact]
    public async Task A_DNS_service_is_looked_up_by_its_SRV_records_and_those_of_the_best_priority_are_used()
    {
        using var server = new UdpClient(new IPEndPoint(IPAddress.Loopback, 0));
        var answering = Answer(server);
        var dns = new LookupClient(new LookupClientOptions((IPEndPoint)server.Client.LocalEndPoint!) { UseCache = false });

        var found = await ServiceNames.ServicesOf(dns, "_grpc._tcp.catalog", default);
        var asked = await answering;

        Assert.Equal("_grpc._tcp.catalog", asked);
        Assert.Equal([new DnsEndPoint("a.test", 6001), new DnsEndPoint("b.test", 6002)], found);
    }

    public ValueTask DisposeAsync() => _provider?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task<string> Found(string written, string settings = "")
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(
                settings
                    .Split(';', StringSplitOptions.RemoveEmptyEntries)
                    .Select(s => s.Split('=', 2))
                    .Select(s => KeyValuePair.Create(s[0], (string?)s[1]))
            )
            .Build();
        _provider = new ServiceCollection()
            .AddLogging()
            .AddSingleton<IConfiguration>(configuration)
            .AddServiceDiscoveryCore()
            .AddConfigurationServiceEndpointProvider()
            .BuildServiceProvider();
        var names = new ServiceNames(
            new(_provider.GetRequiredService<ServiceEndpointResolver>),
            (host, _) => Task.FromResult(_dns[host]),
            (name, _) => Task.FromResult(_services[name])
        );
        var found = await names.Find(new Uri(written), default);
        return string.Join(' ', found.Select(f => f.Host is null ? f.Uri.AbsoluteUri : $"{f.Uri.AbsoluteUri} ({f.Host})"));
    }

    /// <summary>
    /// Answers one SRV query (RFC 1035, RFC 2782) with three records, the last of which has a lower priority; returns the queried name.
    /// </summary>
    private static async Task<string> Answer(UdpClient server)
    {
        var question = await server.ReceiveAsync();
        var end = 12;
        var labels = new List<string>();
        while (question.Buffer[end] is > 0 and var length)
        {
            labels.Add(System.Text.Encoding.ASCII.GetString(question.Buffer, end + 1, length));
            end += length + 1;
        }

        end += 5; // Skips the root label, the type and the class.
        var answer = new List<byte>(question.Buffer[..2]);
        answer.AddRange([0x81, 0x80, 0, 1, 0, 3, 0, 0, 0, 0]);
        answer.AddRange(question.Buffer[12..end]);
        foreach (var (priority, port, host) in ((byte, int, string)[])[(1, 6001, "a"), (1, 6002, "b"), (2, 6003, "c")])
        {
            byte[] target = [1, (byte)host[0], 4, .. "test"u8, 0];
            answer.AddRange([0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 5, 0, (byte)(6 + target.Length), 0, priority, 0, 1]);
            answer.AddRange([(byte)(port >> 8), (byte)port, .. target]);
        }

        await server.SendAsync(answer.ToArray(), question.RemoteEndPoint);
        return string.Join('.', labels);
    }
}
