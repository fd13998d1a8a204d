using System.Text.RegularExpressions;

namespace Architecture.Tests;

/// <summary>
/// Everything that a test receives from a gateway is searched for leaks (<c>LeakSentinel</c>). This test finds clients, processes and logs
/// that are not watched; each must be watched, or listed here with what it talks to.
/// </summary>
public sealed partial class WatchedTests
{
    /// <summary>Unwatched constructions: how many a file has, and why they do not receive a gateway's answer.</summary>
    private static readonly Dictionary<string, int> Unwatched = new()
    {
        ["Architecture.Tests/Contracts/UpstreamContractTests.cs"] = 2, // The sample services
        ["Architecture.Tests/Delivery/TemplateTests.cs"] = 1, // The SDK, and these tests over a copy
        ["Architecture.Tests/Deploy/AlertTests.cs"] = 1, // promtool
        ["Architecture.Tests/Deploy/Kustomize.cs"] = 1, // kubectl
        ["Architecture.Tests/Deploy/OperationsPageTests.cs"] = 1, // The commands of a page
        ["Architecture.Tests/Deploy/RenderedTests.cs"] = 1, // A script of ours that edits files
        ["EndToEnd.Tests/Clients/GeneratedClientTests.cs"] = 2, // Programs in strings; their output is searched.
        ["EndToEnd.Tests/Clients/Tool.cs"] = 1, // Node, npm and the program above.
        ["EndToEnd.Tests/Images/ImageFactAttribute.cs"] = 1, // unshare
        ["EndToEnd.Tests/Images/ImageTests.cs"] = 2, // The SDK, kubectl and a script of ours; a check of settings
        ["EndToEnd.Tests/IdentityProvider/Browser.cs"] = 1, // The development identity provider
        ["EndToEnd.Tests/IdentityProvider/SafetyTests.cs"] = 1, // The same
        ["EndToEnd.Tests/Observability/ExportTests.cs"] = 1, // A collector that never answers
        ["EndToEnd.Tests/Observability/PrometheusServer.cs"] = 2, // Prometheus, and a client of it
        ["EndToEnd.Tests/Templates/Clone.cs"] = 1, // The SDK
        ["EndToEnd.Tests/Upstreams/FaultTests.cs"] = 1, // A sample service
        ["EndToEnd.Tests/Upstreams/ProtocolTests.cs"] = 1, // A sample service
        ["EndToEnd.Tests/Upstreams/Services.cs"] = 1, // The sample services
        ["MobileBff.Tests/HomeFeed/HomeFeedTests.cs"] = 1, // The sample services
        ["MobileBff.Tests/Configuration/ServiceTokenTests.cs"] = 1, // The sample services
        ["MobileBff.Tests/Pictures/StoredPictures.cs"] = 1, // The log of a stub
        ["PartnerBff.Tests/Webhooks/AddressTests.cs"] = 2, // A partner's server, over the connections under test
        ["PartnerBff.Tests/Webhooks/StandardWebhooksTests.cs"] = 1, // Node
        ["PartnerBff.Tests/Account/UsageRecorderTests.cs"] = 1, // A log that the test reads itself
        ["Shared.Tests/Callers/Identity/IdentityHeadersTests.cs"] = 1, // The log of a stub
        ["Shared.Tests/Callers/Life/LongAnswers.cs"] = 3, // Reads a stub's pieces until they end
        ["Shared.Tests/Edge/BodyTests.cs"] = 1, // Breaks off before it receives anything
        ["Shared.Tests/Composition/WritePartTests.cs"] = 1, // Breaks off before it receives anything
        ["Shared.Tests/Routes/RouteEdgeTests.cs"] = 2, // The same; reads no more than a status line
        ["Shared.Tests/Routes/RelayedSocketTests.cs"] = 1, // Its handshake is sent by a client that is watched.
        ["Shared.Tests/Models/IdempotencyModelTests.cs"] = 1, // No host, hence no answer
        ["Shared.Tests/Models/ModelServer.cs"] = 1, // redis-server
        ["Shared.Tests/Models/RedisLink.cs"] = 1, // The same
        ["Shared.Tests/State/DurableWritesTests.cs"] = 1, // Redis's MONITOR
        ["Shared.Tests/Upstreams/Discovery/MovingServiceTests.cs"] = 3, // The logs of a stub and of a registry without a host
        ["Shared.Tests/Upstreams/Tokens/EntraTokenTests.cs"] = 1, // A stub's token endpoint
        ["Shared.Tests/Upstreams/CallProperties.cs"] = 1, // A network that is a script; no host
        ["Shared.Tests/Upstreams/UpstreamBench.cs"] = 1, // A stub's token endpoint
        ["TestKit/Failures/FailureLanes.cs"] = 1, // A sample service
        ["TestKit/Failures/FailureMatrix.cs"] = 1, // The sample services
        ["TestKit/GatewayProcess.cs"] = 2, // Searches its output; and 'kill'
        ["TestKit/RawHttp.cs"] = 1, // Searches what it reads
        ["TestKit/RawSender.cs"] = 1, // Reads a status line
        ["TestKit/Receiver.cs"] = 1, // The log of a stub
        ["TestKit/RedisCluster.cs"] = 1, // redis-cli
        ["TestKit/RedisRoute.cs"] = 1, // redis-server
        ["TestKit/RedisServer.cs"] = 2, // redis-server
        ["TestKit/SparseProvider.cs"] = 1, // The log of a stub
        ["TestKit/TestIssuer.cs"] = 1, // The log of a stub
        ["TestKit/WatchedLog.cs"] = 1, // The watcher itself
        ["WebBff.Tests/Streams/WebSocketTests.cs"] = 1, // Its handshake is sent by a client that is watched.
    };

    [Fact]
    public void Every_client_process_and_log_of_a_test_is_watched_or_listed()
    {
        var root = Path.Combine(Source.Root, "tests");
        var found = Source
            .Files("tests")
            .Where(f => Path.GetFileName(f) != "WatchedTests.cs")
            .Select(f => (File: Path.GetRelativePath(root, f).Replace('\\', '/'), Count: Construction().Count(File.ReadAllText(f))))
            .Where(f => f.Count > 0)
            .ToDictionary(f => f.File, f => f.Count);

        Assert.Empty(found.Except(Unwatched));
        Assert.Empty(Unwatched.Except(found)); // A listed file must have such a construction.
    }

    [Theory]
    [InlineData("using var http = new HttpClient(new SocketsHttpHandler());", 1)]
    [InlineData("using var http = new HttpClient { BaseAddress = address };", 1)]
    [InlineData("private readonly HttpClient _http = new();", 1)]
    [InlineData("public HttpClient Http { get; } = new(handler);", 1)]
    [InlineData("private static HttpClient NewClient(Uri address) => new(handler);", 1)]
    [InlineData("_http = new(handler);", 1)]
    [InlineData("return new(new SocketsHttpHandler());", 1)]
    [InlineData("using var process = Process.Start(start)!;", 1)]
    [InlineData("builder.Logging.ClearProviders();", 1)]
    [InlineData("new Composer(NullLogger<Composer>.Instance)", 1)]
    [InlineData("_http = new(new LeakSentinelHandler(leaks, handler)) { Timeout = timeout };", 0)]
    [InlineData("using var http = new HttpClient(new LeakSentinelHandler(leaks, handler));", 0)]
    [InlineData("builder.Logging.ClearProviders().AddProvider(log);", 0)]
    [InlineData("public HttpClient Client { get; }", 0)]
    public void The_search_finds_every_kind_of_unwatched_construction(string code, int finds) =>
        Assert.Equal(finds, Construction().Count(code));

    [GeneratedRegex(
        """
            new\s+HttpClient\b(?!\(\s*new\ LeakSentinelHandler)
            | \bHttpClient\??\s+\w+\s*(?:\{[^}]*\}\s*|\([^)]*\)\s*)?=>?\s*new\s*\((?!\s*new\ LeakSentinelHandler)
            | (?<!HttpClient\s)\b\w*(?:[Cc]lient|[Hh]ttp)\s*=\s*new\s*\((?!\s*new\ LeakSentinelHandler)
            | return\s+new\s*\(\s*new\s+\w*Handler\b(?<!LeakSentinelHandler)
            | new\s+HttpMessageInvoker\((?!new\ LeakSentinelHandler)
            | new\s+(?:System\.Net\.Sockets\.)?(?:TcpClient|Socket|ClientWebSocket)\b
            | \bProcess\.Start\( | new\s+Process\b
            | \bNullLogger(?:Factory)?\b(?=[<.]) | \bLoggerFactory\.Create\((?!logging\ =>\ logging\.Watch)
            | ClearProviders\(\)(?!\.AddProvider\(log\)|\.AddProvider\(_log\))
            """,
        RegexOptions.IgnorePatternWhitespace
    )]
    private static partial Regex Construction();
}
