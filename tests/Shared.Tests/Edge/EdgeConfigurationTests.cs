using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Bff.Configuration;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Edge;

/// <summary>Tests the settings for hosts, trusted proxies and allowed origins.</summary>
public sealed class EdgeConfigurationTests
{
    private const string Forwarded = "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: api.example.com\r\n";

    [Fact]
    public async Task Every_mistake_stops_the_host_and_is_named_with_its_key()
    {
        var refused = await Assert.ThrowsAsync<InvalidConfigurationException>(() =>
            Start(
                ("Cors:Origins:0", "*"),
                ("Cors:Origins:1", "https://*.example.com"),
                ("Cors:Origins:2", "https://www.example.com/path"),
                ("Cors:Origins:3", "null"),
                ("ForwardedHeaders:KnownProxies:0", "10.0.0.0/8"),
                ("ForwardedHeaders:KnownNetworks:0", "0.0.0.0/0"),
                ("ForwardedHeaders:KnownNetworks:1", "ten"),
                ("PublicUrl", "api.example.com"),
                ("AllowedHosts", "https://api.example.com")
            )
        );

        Assert.Equal(
            [
                "AllowedHosts",
                "Cors:Origins:0",
                "Cors:Origins:1",
                "Cors:Origins:2",
                "Cors:Origins:3",
                "ForwardedHeaders:KnownNetworks:0",
                "ForwardedHeaders:KnownNetworks:1",
                "ForwardedHeaders:KnownProxies:0",
                "PublicUrl",
            ],
            refused.Mistakes.Select(m => m.Key).Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [InlineData("AllowedHosts", "api.example.com:443")]
    [InlineData("AllowedHosts", "*.")]
    [InlineData("AllowedHosts", "bücher.example")]
    [InlineData("AllowedHosts", "::1")]
    [InlineData("AllowedHosts:0", "api.example.com;www.example.com")]
    [InlineData("PublicUrl", "https://bücher.example")]
    [InlineData("PublicUrl", "https:api.example.com")]
    [InlineData("PublicUrl", "https:\\\\api.example.com")]
    [InlineData("ForwardedHeaders:KnownProxies:0", "1")]
    [InlineData("ForwardedHeaders:KnownProxies:0", "010.0.0.5")]
    [InlineData("ForwardedHeaders:KnownNetworks:0", "10.1/16")]
    [InlineData("ForwardedHeaders:KnownNetworks:0", "10.1.2.3/8")]
    [InlineData("ForwardedHeaders:KnownNetworks:0", "2001:db8::1/32")]
    [InlineData("Headers:Return:0", "X Total")]
    [InlineData("Headers:Return:0", "X-Total:")]
    [InlineData("Headers:Return:0", "Set-Cookie ")]
    public async Task An_invalid_host_proxy_or_header_name_is_a_configuration_mistake(string key, string value)
    {
        var refused = await Assert.ThrowsAsync<InvalidConfigurationException>(() => Start((key, value)));

        Assert.Equal([key], refused.Mistakes.Select(m => m.Key).Distinct());
    }

    [Theory]
    [InlineData("AllowedHosts", "[::1];10.0.0.5;my_service;xn--bcher-kva.example;*.xn--bcher-kva.example")]
    [InlineData("PublicUrl", " https://xn--bcher-kva.example/base ")]
    [InlineData("ForwardedHeaders:KnownNetworks", "10.1.0.0/16;2001:db8::/32")]
    public async Task A_valid_host_url_or_network_is_accepted(string key, string value)
    {
        await using var host = await Start((key, value));
    }

    [Theory]
    [InlineData("Authorization")]
    [InlineData("proxy-authorization")]
    [InlineData("Cookie")]
    [InlineData("X-API-Key")]
    [InlineData("Host")]
    [InlineData("Connection")]
    [InlineData("TE")]
    [InlineData("Upgrade")]
    [InlineData("Transfer-Encoding")]
    [InlineData("X-Forwarded-For")]
    [InlineData("x_forwarded_host")]
    [InlineData("X-User-Id")]
    [InlineData("x_user_roles")]
    [InlineData("X-Identity-Token")]
    [InlineData("X-Request-Id")]
    [InlineData("traceparent")]
    [InlineData("grpc-timeout")]
    [InlineData("X Device")]
    [InlineData("X-Device:")]
    [InlineData("X-Gerät")]
    [InlineData(" ")]
    public async Task A_credential_connection_or_identity_header_may_not_be_configured_for_forwarding(string name)
    {
        var refused = await Assert.ThrowsAsync<InvalidConfigurationException>(() =>
            Start(("Headers:Forward:0", "X-Device"), ("Headers:Forward:1", name))
        );

        Assert.Equal(["Headers:Forward:1"], refused.Mistakes.Select(m => m.Key).Distinct());
    }

    [Fact]
    public async Task Forwarded_headers_of_a_known_proxy_are_trusted()
    {
        await using var host = await Start(("ForwardedHeaders:KnownNetworks:0", "127.0.0.0/8"), ("AllowedHosts", "api.example.com"));

        var answer = await Get(host, "/seen", Forwarded);

        Assert.Equal(["https", "api.example.com", "203.0.113.9"], answer.Text.Split('\n')[..3]);
        Assert.Equal("max-age=31536000; includeSubDomains", answer.Header("Strict-Transport-Security"));
    }

    [Fact]
    public async Task Forwarded_headers_of_other_clients_are_ignored()
    {
        foreach (var settings in new (string, string)[][] { [], [("ForwardedHeaders:KnownProxies", "10.0.0.5")] })
        {
            await using var host = await Start(settings);

            var answer = await Get(host, "/seen", Forwarded);

            Assert.Equal(["http", "gateway", "127.0.0.1"], answer.Text.Split('\n')[..3]);
        }
    }

    [Theory]
    [InlineData("api.example.com", 200)]
    [InlineData("API.example.com:8443", 200)]
    [InlineData("eu.partners.example.com", 200)]
    [InlineData("partners.example.com", 400)]
    [InlineData("evilpartners.example.com", 400)]
    [InlineData("api.example.com.evil.com", 400)]
    [InlineData("evil.com", 400)]
    [InlineData("[::1]:80", 400)]
    public async Task Only_allowed_host_names_are_accepted(string name, int status)
    {
        await using var host = await Start(("AllowedHosts", "api.example.com;*.partners.example.com"));

        var answer = await RawHttp.Send(host.Address, $"GET /items/5 HTTP/1.1\r\nHost: {name}\r\n\r\n", host.Leaks);

        Assert.Equal(status, answer.Status);
        if (status == 400)
        {
            Assert.Contains("\"type\":\"http://api.example.com/problems/malformed_request\"", answer.Text, StringComparison.Ordinal);
            Assert.DoesNotContain("evil", answer.Text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("https://www.example.com")]
    [InlineData("https://www.example.com", "https://app.example.com")]
    public async Task Every_answer_varies_by_origin_when_origins_are_configured(params string[] origins)
    {
        await using var host = await Start([.. origins.Select((origin, n) => ($"Cors:Origins:{n}", origin)), ("AllowedHosts", "gateway")]);
        foreach (var origin in (string[])["", "Origin: https://www.example.com\r\n", "Origin: https://elsewhere.example\r\n"])
        {
            foreach (
                var path in (string[])
                    [
                        "/items/5",
                        "/large",
                        "/nowhere",
                        "/boom",
                        "/any/../x",
                        "/status/304",
                        "/status/204",
                        "/problem",
                        "/problems",
                        "/health/live",
                    ]
            )
            {
                var answer = await Get(host, path, origin);
                Assert.Contains("Origin", Vary(answer));
            }

            Assert.Contains(
                "Origin",
                Vary(await RawHttp.Send(host.Address, $"DELETE /items/5 HTTP/1.1\r\nHost: gateway\r\n{origin}\r\n", host.Leaks))
            );
            Assert.Contains(
                "Origin",
                Vary(await RawHttp.Send(host.Address, $"GET / HTTP/1.1\r\nHost: elsewhere\r\n{origin}\r\n", host.Leaks))
            );
            Assert.Contains(
                "Origin",
                Vary(
                    await RawHttp.Send(
                        host.Address,
                        $"OPTIONS /items/5 HTTP/1.1\r\nHost: gateway\r\n{origin}Access-Control-Request-Method: POST\r\n\r\n",
                        host.Leaks
                    )
                )
            );
        }

        static string[] Vary(RawResponse answer)
        {
            var names = answer
                .Headers.Where(h => h.Name == "Vary")
                .SelectMany(h => h.Value.Split(',', StringSplitOptions.TrimEntries))
                .ToArray();
            Assert.Equal(names.Length, names.Distinct(StringComparer.OrdinalIgnoreCase).Count());
            return names;
        }
    }

    [Fact]
    public async Task No_answer_varies_by_origin_without_configured_origins()
    {
        await using var host = await Start();

        Assert.Null((await Get(host, "/items/5", "Origin: https://www.example.com\r\n")).Header("Vary"));
    }

    [Fact]
    public async Task A_forwarded_host_must_be_an_allowed_host()
    {
        await using var host = await Start(("AllowedHosts", "gateway"), ("ForwardedHeaders:KnownProxies:0", "127.0.0.1"));

        Assert.Equal(400, (await Get(host, "/seen", Forwarded)).Status);
        Assert.Equal(200, (await Get(host, "/seen")).Status);
    }

    [Theory]
    [InlineData("GET /nowhere HTTP/1.0\r\n\r\n")]
    [InlineData("GET /nowhere HTTP/1.1\r\nHost:\r\n\r\n")]
    public async Task Problem_types_are_absolute_urls_even_without_a_Host_header(string request)
    {
        await using var host = await Start();

        var answer = await RawHttp.Send(host.Address, request, host.Leaks);

        Assert.Equal($"http://localhost:{host.Address.Port}/problems/not_found", (string?)JsonNode.Parse(answer.Text)!["type"]);
    }

    [Fact]
    public async Task A_problem_detail_is_not_escaped_unnecessarily()
    {
        await using var host = await Start();

        var answer = await RawHttp.Send(host.Address, "GET /a%2fb HTTP/1.1\r\nHost: gateway\r\n\r\n", host.Leaks);

        Assert.Contains("dot segments, empty segments, ';', control characters", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Problem_types_are_built_from_the_public_url()
    {
        await using var host = await Start(("PublicUrl", " https://api.example.com/ "));

        Assert.Contains(
            "\"type\":\"https://api.example.com/problems/not_found\"",
            (await Get(host, "/nowhere")).Text,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_listed_origin_may_read_answers_and_errors_with_credentials()
    {
        await using var host = await Start(("Cors:Origins:0", "https://www.example.com"));
        foreach (var path in new[] { "/items/5", "/nowhere", "/boom" })
        {
            var answer = await Get(host, path, "Origin: https://www.example.com\r\n");

            Assert.Equal("https://www.example.com", answer.Header("Access-Control-Allow-Origin"));
            Assert.Equal("true", answer.Header("Access-Control-Allow-Credentials"));
            Assert.Contains("X-Request-Id", answer.Header("Access-Control-Expose-Headers"), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("https://www.example.com", "https://www.example.com")]
    [InlineData("https://evil.example.com", null)]
    [InlineData("http://www.example.com", null)]
    [InlineData("https://www.example.com.evil.com", null)]
    [InlineData("null", null)]
    public async Task A_preflight_is_allowed_only_for_listed_origins(string origin, string? allowed)
    {
        await using var host = await Start(("Cors:Origins", "https://www.example.com"));

        var answer = await RawHttp.Send(
            host.Address,
            $"OPTIONS /items/5 HTTP/1.1\r\nHost: gateway\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization,idempotency-key\r\n\r\n",
            host.Leaks
        );

        Assert.Equal(204, answer.Status);
        Assert.Equal(allowed, answer.Header("Access-Control-Allow-Origin"));
        Assert.Equal(allowed is not null, answer.Header("Access-Control-Allow-Methods") is not null);
    }

    [Theory]
    [InlineData("Prefer")]
    [InlineData("If-Modified-Since")]
    [InlineData("Range")]
    [InlineData("baggage")]
    [InlineData("Mcp-Protocol-Version")]
    public async Task A_page_of_a_listed_origin_may_send_the_documented_headers(string header)
    {
        await using var host = await Start(("Cors:Origins", "https://www.example.com"));

        var answer = await RawHttp.Send(
            host.Address,
            $"OPTIONS /items/5 HTTP/1.1\r\nHost: gateway\r\nOrigin: https://www.example.com\r\nAccess-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: {header.ToLowerInvariant()}\r\n\r\n",
            host.Leaks
        );

        Assert.Contains(header, answer.Header("Access-Control-Allow-Headers")!.Split(','), StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>What an installation lets through for its clients is there for those that are pages too.</summary>
    [Fact]
    public async Task A_page_of_a_listed_origin_may_send_and_read_the_headers_that_the_installation_lets_through()
    {
        await using var host = await Start(
            ("Cors:Origins", "https://www.example.com"),
            ("Headers:Forward:0", "X-Device"),
            ("Headers:Return:0", "X-Total-Count")
        );

        var asked = await RawHttp.Send(
            host.Address,
            "OPTIONS /items/5 HTTP/1.1\r\nHost: gateway\r\nOrigin: "
                + "https://www.example.com\r\nAccess-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: "
                + "x-device\r\n\r\n",
            host.Leaks
        );
        var answer = await Get(host, "/items/5", "Origin: https://www.example.com\r\n");

        Assert.Contains("X-Device", asked.Header("Access-Control-Allow-Headers")!.Split(','));
        Assert.Contains("X-Total-Count", answer.Header("Access-Control-Expose-Headers")!.Split(','));
        Assert.Contains("Content-Disposition", answer.Header("Access-Control-Expose-Headers")!.Split(',')); // The name of a file.
    }

    [Fact]
    public async Task No_other_origin_may_read_answers_without_configuration()
    {
        await using var host = await Start();

        Assert.Null((await Get(host, "/items/5", "Origin: https://www.example.com\r\n")).Header("Access-Control-Allow-Origin"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Trace_context_is_accepted_as_far_as_the_host_trusts_its_clients(bool trusted)
    {
        const string Parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
        await using var host = await EdgeHost.Start(
            new ConcurrentQueue<string>(),
            null,
            builder => builder.Services.Configure<Bff.Edge.EdgeOptions>(o => o.TrustTraceContext = trusted)
        );

        var answer = await Get(host, "/seen", $"traceparent: {Parent}-01\r\ntracestate: a=b\r\nbaggage: user=5\r\n");

        var seen = answer.Text.Split('\n');
        Assert.StartsWith("00-0af7651916cd43dd8448eb211c80319c-", seen[3], StringComparison.Ordinal);
        Assert.Equal(Parent + (trusted ? "-01" : "-00"), seen[4]);
        Assert.Equal(trusted ? "a=b" : "", seen[5]);
        Assert.Equal(trusted ? "user" : "", seen[6]);
        Assert.Equal("", seen[7]);
    }

    [Theory]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0")]
    [InlineData("00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01")]
    [InlineData("00-00000000000000000000000000000000-b7ad6b7169203331-01")]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01")]
    [InlineData("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
    [InlineData("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more")]
    [InlineData("|0af7651916cd43dd8448eb211c80319c.1.")]
    [InlineData("garbage")]
    [InlineData(
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\ntraceparent: 00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    )]
    public async Task An_invalid_traceparent_starts_a_new_trace(string parent)
    {
        await using var host = await Start();

        var seen = (await Get(host, "/seen", $"traceparent: {parent}\r\ntracestate: a=b\r\nRequest-Id: |other.1.\r\n")).Text.Split('\n');

        Assert.Matches("^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$", seen[3]);
        Assert.DoesNotContain("af7651916cd43dd8448eb211c80319c", seen[3], StringComparison.OrdinalIgnoreCase);
        Assert.Equal(["", "", "", ""], seen[4..8]);
    }

    [Theory]
    [InlineData("abc-DEF_1.2", true)]
    [InlineData("", false)]
    [InlineData("with space", false)]
    [InlineData("semi;colon", false)]
    [InlineData("<script>", false)]
    [InlineData("one\r\nX-Request-Id: two", false)]
    public async Task A_well_formed_request_id_of_the_client_is_kept_and_another_is_replaced(string id, bool taken)
    {
        await using var host = await Start();
        foreach (var path in new[] { "/items/5", "/nowhere", "/any/a%2fb", "/boom" })
        {
            var answer = await Get(host, path, $"X-Request-Id: {id}\r\nX-Correlation-Id: business-7\r\n");

            Assert.Equal(taken, answer.Header("X-Request-Id") == id);
            Assert.Matches("^[A-Za-z0-9._-]{1,128}$", answer.Header("X-Request-Id"));
            Assert.Equal("business-7", answer.Header("X-Correlation-Id"));
        }
    }

    [Theory]
    [InlineData(128, true)]
    [InlineData(129, false)]
    public async Task A_request_id_has_at_most_128_characters(int length, bool taken)
    {
        await using var host = await Start();
        var id = new string('a', length);

        Assert.Equal(taken, (await Get(host, "/items/5", $"X-Request-Id: {id}\r\n")).Header("X-Request-Id") == id);
    }

    private static Task<TestHost> Start(params (string Key, string Value)[] settings) =>
        EdgeHost.Start(new ConcurrentQueue<string>(), settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value)));

    private static Task<RawResponse> Get(TestHost host, string path, string headers = "") =>
        RawHttp.Send(host.Address, $"GET {path} HTTP/1.1\r\nHost: gateway\r\n{headers}\r\n", host.Leaks);
}
