using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Bff.Configuration;
using Bff.Dev.Upstreams.Faults;
using Bff.Requests;
using Bff.TestKit;
using Bff.Upstreams;
using Bff.Upstreams.Tokens;
using Microsoft.Extensions.Configuration;
using Microsoft.IdentityModel.JsonWebTokens;
using static Bff.Shared.Tests.Upstreams.UpstreamBench;

namespace Bff.Shared.Tests.Upstreams.Tokens;

/// <summary><c>Type: Entra</c>: the token requests of Microsoft.Identity.Web, which a local issuer answers in Entra's place.</summary>
public sealed class EntraTokenTests : IDisposable
{
    private const string Authority = "https://login.microsoftonline.com/9f1c1d7e-0000-4000-8000-000000000001/v2.0",
        Client = "3d8b2c1a-0000-4000-8000-000000000002";
    private readonly string _folder = Directory.CreateTempSubdirectory("bff-entra-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_gateway_s_own_token_is_requested_once_and_again_when_the_service_rejects_it()
    {
        await using var issuer = await TestIssuer.Start();
        await using var bench = await Bench(issuer, ("Clients:default:ClientSecret", "s3cret"), ("Upstreams:users:Token:Mode", "Client"));

        Assert.Equal("Bearer granted-1", await Sent(bench));
        Assert.Equal("Bearer granted-1", await Sent(bench));
        bench.Services.Users.Faults.Set(
            new Fault
            {
                Mode = FaultMode.Status,
                Status = 401,
                Count = 1,
            }
        );
        Assert.Equal("Bearer granted-2", await Sent(bench)); // Not the rejected token, which the package still caches.

        Assert.Equal(2, issuer.TokenRequests.Count);
        Assert.All(
            issuer.TokenRequests,
            r =>
                Assert.Equal(
                    ("client_credentials", Client, "s3cret", "api://users/.default"),
                    (r["grant_type"], r["client_id"], r["client_secret"], r["scope"])
                )
        );
    }

    [Fact]
    public async Task On_behalf_of_is_asked_for_once_per_caller_s_token()
    {
        await using var issuer = await TestIssuer.Start();
        var asked = 0;
        issuer.AnswerToken = _ => (200, Granted("obo-" + Interlocked.Increment(ref asked)));
        await using var bench = await Bench(
            issuer,
            ("Clients:default:ClientSecret", "s3cret"),
            ("Upstreams:users:Token:Mode", "OnBehalfOf")
        );
        var (ada, bob) = (issuer.Token(c => c["oid"] = "ada"), issuer.Token(c => c["oid"] = "bob"));

        Assert.Equal(
            ("Bearer obo-1", "Bearer obo-2", "Bearer obo-1"),
            (await Sent(bench, ada), await Sent(bench, bob), await Sent(bench, ada))
        );

        Assert.Equal([ada, bob], issuer.TokenRequests.Select(r => r["assertion"]));
        Assert.All(
            issuer.TokenRequests,
            r => Assert.Equal(("urn:ietf:params:oauth:grant-type:jwt-bearer", "on_behalf_of"), (r["grant_type"], r["requested_token_use"]))
        );
        Assert.All(issuer.TokenRequests, r => Assert.Contains("api://users/.default", r["scope"].Split(' ')));
    }

    /// <summary>Kubernetes workload identity: the platform writes an assertion to a file, and Entra is configured to trust it.</summary>
    [Fact]
    public async Task A_federated_credential_takes_the_place_of_a_secret()
    {
        await using var issuer = await TestIssuer.Start();
        var file = Path.Combine(_folder, "assertion");
        await File.WriteAllTextAsync(file, issuer.Token());
        await using var bench = await Bench(
            issuer,
            ("Clients:default:ClientCredentials:0:SourceType", "SignedAssertionFilePath"),
            ("Clients:default:ClientCredentials:0:SignedAssertionFileDiskPath", file),
            ("Upstreams:users:Token:Mode", "Client")
        );

        Assert.Equal("Bearer granted-1", await Sent(bench));

        var asked = Assert.Single(issuer.TokenRequests);
        Assert.Equal(
            (await File.ReadAllTextAsync(file), "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            (asked["client_assertion"], asked["client_assertion_type"])
        );
        Assert.DoesNotContain("client_secret", asked.Keys);
    }

    [Fact]
    public async Task A_certificate_signs_an_assertion_that_names_it()
    {
        await using var issuer = await TestIssuer.Start();
        using var key = RSA.Create(2048);
        using var certificate = new CertificateRequest(
            "CN=gateway",
            key,
            HashAlgorithmName.SHA256,
            RSASignaturePadding.Pkcs1
        ).CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddHours(1));
        var (file, keyFile) = (Path.Combine(_folder, "gateway.pem"), Path.Combine(_folder, "gateway.key"));
        await File.WriteAllTextAsync(file, certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(keyFile, key.ExportPkcs8PrivateKeyPem());
        await using var bench = await Bench(
            issuer,
            ("Clients:default:Certificate:Path", file),
            ("Clients:default:Certificate:KeyPath", keyFile),
            ("Upstreams:users:Token:Mode", "Client")
        );

        Assert.Equal("Bearer granted-1", await Sent(bench));

        var assertion = new JsonWebToken(Assert.Single(issuer.TokenRequests)["client_assertion"]);
        Assert.Equal((Client, Client), (assertion.Issuer, assertion.Subject));
        Assert.Contains(new[] { "x5t", "x5t#S256" }, name => assertion.TryGetHeaderValue<string>(name, out _));
    }

    [Theory]
    [InlineData(400, "interaction_required", "Failed", 1)]
    [InlineData(401, "invalid_client", "Failed", 1)]
    [InlineData(400, "temporarily_unavailable", "Unavailable", 1)]
    [InlineData(500, "server_error", "Unavailable", 2)] // Microsoft.Identity.Web retries once by itself.
    public async Task A_refusal_fails_the_call_and_an_endpoint_error_is_an_outage(int status, string error, string outcome, int requests)
    {
        await using var issuer = await TestIssuer.Start();
        issuer.AnswerToken = _ =>
            (status, new JsonObject { ["error"] = error, ["error_description"] = "AADSTS00000: a text that no log repeats" });
        await using var bench = await Bench(
            issuer,
            ("Clients:default:ClientSecret", "s3cret"),
            ("Upstreams:users:Token:Mode", "OnBehalfOf")
        );

        var answer = await bench.Client("users").Get("users/u-1001", Any, Call(bench, issuer.Token()));

        Assert.Equal(outcome, answer.Outcome.ToString());
        Assert.Equal((0, requests), (bench.Services.Users.Calls.Count, issuer.TokenRequests.Count));
    }

    [Fact]
    public async Task A_token_that_is_not_a_JWT_is_not_sent_to_entra()
    {
        await using var issuer = await TestIssuer.Start();
        await using var bench = await Bench(
            issuer,
            ("Clients:default:ClientSecret", "s3cret"),
            ("Upstreams:users:Token:Mode", "OnBehalfOf")
        );

        Assert.Equal(UpstreamOutcome.Failed, (await bench.Client("users").Get("users/u-1001", Any, Call(bench, "opaque"))).Outcome);
        Assert.Empty(issuer.TokenRequests);
    }

    [Theory]
    [InlineData("Clients:default:ClientCredentials:0:SourceType", "Whatever", "Clients:default:ClientCredentials:0:SourceType")]
    [InlineData("Clients:default:ClientSecret", "s3cret", "Clients:default:ClientSecret")]
    [InlineData("Clients:default:Type", "Generic", "Clients:default:ClientCredentials:0:SourceType")]
    [InlineData("Clients:default:PrivateKey:Path", "/no/such/key.pem", "Clients:default:PrivateKey:Path")]
    [InlineData("Upstreams:users:Token:Scope", null, "Upstreams:users:Token:Scope")]
    [InlineData("Upstreams:users:Token:Mode", "Exchange", "Upstreams:users:Token:Mode")]
    [InlineData("Upstreams:users:Token:Audience", "users", "Upstreams:users:Token:Audience")]
    public void A_setting_that_does_not_fit_entra_is_named(string key, string? value, string named)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(
                new Dictionary<string, string?>
                {
                    ["Clients:default:Type"] = "Entra",
                    ["Clients:default:Authority"] = Authority,
                    ["Clients:default:ClientId"] = Client,
                    ["Clients:default:ClientCredentials:0:SourceType"] = "SignedAssertionFromManagedIdentity",
                    ["Upstreams:users:Address"] = "http://127.0.0.1:1",
                    ["Upstreams:users:Token:Mode"] = "Client",
                    ["Upstreams:users:Token:Scope"] = "api://users/.default",
                    [key] = value,
                }
            )
            .Build();
        var mistakes = new ConfigurationMistakes();

        ClientRegistrations.Parse(configuration, mistakes);
        TokenOptionsParser.CheckClients("Upstreams", UpstreamRegistry.Parse(configuration, mistakes).Live, configuration, mistakes);

        Assert.Contains(mistakes.All, m => m.Key == named);
    }

    private static JsonObject Granted(string token) =>
        new()
        {
            ["access_token"] = token,
            ["token_type"] = "Bearer",
            ["expires_in"] = 3600,
        };

    private static async Task<UpstreamBench> Bench(TestIssuer issuer, params (string, string)[] settings)
    {
        issuer.AnswerToken ??= _ => (200, Granted("granted-" + issuer.TokenRequests.Count));
        var bench = await StartAsync(
            null,
            [
                ("Clients:default:Type", "Entra"),
                ("Clients:default:Authority", Authority),
                ("Clients:default:ClientId", Client),
                ("Clients:default:Timeout", "00:00:30"),
                ("Upstreams:users:Token:Scope", "api://users/.default"),
                .. settings,
            ]
        );
        bench.TokenEndpoints = new EntraAt(new Uri(issuer.Address));
        return bench;
    }

    private static async Task<string?> Sent(UpstreamBench bench, string? token = null)
    {
        Assert.True(
            (await bench.Client("users").Get("users/u-1001", Any, token is null ? bench.Call(User("u-1001")) : Call(bench, token))).IsOk
        );
        return bench.Services.Users.Calls.All[^1].Header("Authorization");
    }

    private static CallContext Call(UpstreamBench bench, string token)
    {
        var call = bench.Call(User("u-1001"));
        call.Request.Token = CallerToken.Of(token);
        return call;
    }

    /// <summary>Sends requests for Entra's host to the local issuer.</summary>
    private sealed class EntraAt(Uri issuer) : DelegatingHandler(new SocketsHttpHandler()), IHttpClientFactory
    {
        public HttpClient CreateClient(string name) => new(this, disposeHandler: false);

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Assert.Equal("login.microsoftonline.com", request.RequestUri!.Host);
            var path = request.RequestUri.AbsolutePath;
            request.RequestUri = new Uri(
                issuer,
                path == new Uri(Authority).AbsolutePath.Replace("/v2.0", "/oauth2/v2.0/token", StringComparison.Ordinal) ? "/token" : path
            );
            return base.SendAsync(request, cancellationToken);
        }
    }
}
