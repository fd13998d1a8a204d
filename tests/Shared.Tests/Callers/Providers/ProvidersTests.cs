using System.Net;
using System.Text.Json.Nodes;
using Bff.Configuration;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Bff.Shared.Tests.Callers.Providers;

/// <summary>
/// Tests several providers on one host that are told apart by issuer, issuers of many tenants, and contradictory settings.
/// </summary>
public sealed class ProvidersTests
{
    private const string Tenant = "9f1c1d7e-0000-4000-8000-000000000001",
        Stranger = "9f1c1d7e-0000-4000-8000-000000000002";

    [Fact]
    public async Task Each_token_is_checked_with_the_keys_claims_and_audience_of_its_issuer()
    {
        await using var customers = await TestIssuer.Start();
        await using var employees = await TestIssuer.Start();
        await using var host = await (
            await CallersHost.Start(
                customers,
                new(Second(employees))
                {
                    ["Authentication:Providers:employees:Type"] = "Okta",
                    ["Authentication:Providers:employees:ValidAudiences:0"] = "staff",
                }
            )
        ).Ready();

        Assert.Equal(HttpStatusCode.OK, (await host.Get(customers.Token(c => c["roles"] = new JsonArray("premium")))).Status);
        Assert.Equal(
            HttpStatusCode.OK,
            (
                await host.Get(
                    employees.Token(c =>
                    {
                        c["aud"] = "staff";
                        c.Remove("scope");
                        c["scp"] = new JsonArray("api");
                        c["groups"] = new JsonArray("support");
                    })
                )
            ).Status
        );
        Assert.Equal(["premium", "support"], host.Reached.Select(c => c.Roles.Single()));

        // A provider's keys and audiences are not valid for the other provider.
        Assert.Equal(
            "invalid_token",
            (
                await host.Get(
                    employees.Token(c =>
                    {
                        c["iss"] = customers.Address;
                    })
                )
            ).Code
        );
        Assert.Equal(
            "invalid_token",
            (
                await host.Get(
                    customers.Token(c =>
                    {
                        c["iss"] = employees.Address;
                        c["aud"] = "staff";
                    })
                )
            ).Code
        );
        Assert.Equal("invalid_token", (await host.Get(customers.Token(c => c["aud"] = "staff"))).Code);
        Assert.Equal("invalid_token", (await host.Get(employees.Token())).Code);
        Assert.Equal("invalid_token", (await host.Get(customers.Token(c => c["iss"] = "https://elsewhere.example"))).Code);
    }

    [Fact]
    public async Task A_provider_that_is_down_does_not_affect_the_other_provider()
    {
        await using var customers = await TestIssuer.Start();
        await using var employees = await TestIssuer.Start();
        employees.Fault = IssuerFault.Hang;
        await using var host = await CallersHost.Start(customers, new(Second(employees)));

        await Eventually.True(async () => (await host.Get(customers.Token())).Status == HttpStatusCode.OK);
        Assert.Equal("upstream_unavailable", (await host.Get(employees.Token())).Code);
    }

    [Fact]
    public async Task A_token_that_arrives_before_its_authoritys_keys_waits_for_them()
    {
        await using var issuer = await TestIssuer.Start();
        var mayLeave = new TaskCompletionSource();
        issuer.KeysMayLeave = mayLeave.Task;
        await using var host = await CallersHost.Start(issuer);

        var asked = host.Get(issuer.Token());
        await Eventually.True(() => issuer.KeyFetches.Count > 0);
        mayLeave.SetResult();

        Assert.Equal(HttpStatusCode.OK, (await asked).Status);
    }

    [Fact]
    public async Task A_host_may_have_only_named_providers()
    {
        await using var employees = await TestIssuer.Start();
        await using var host = await (
            await CallersHost.Start(settings: new(Second(employees)) { ["Authentication:Schemes:Bearer:ValidAudiences:0"] = null })
        ).Ready();

        Assert.Equal(HttpStatusCode.OK, (await host.Get(employees.Token())).Status);
    }

    [Fact]
    public async Task Two_providers_of_one_authority_stop_the_host_and_are_named()
    {
        await using var issuer = await TestIssuer.Start();

        var stopped = await Assert.ThrowsAsync<InvalidConfigurationException>(() => CallersHost.Start(issuer, new(Second(issuer))));

        Assert.Contains(stopped.Mistakes, m => m.Key == "Authentication:Providers:employees:Authority");
    }

    [Theory]
    [InlineData("https://id.example", "https://id.example")]
    [InlineData("https://id.example/{tenantid}/v2.0", "https://id.example/" + Tenant + "/v2.0")]
    public async Task Two_providers_of_one_configured_issuer_stop_the_host_and_are_named(string one, string other)
    {
        await using var customers = await TestIssuer.Start();
        await using var employees = await TestIssuer.Start();

        var stopped = await Assert.ThrowsAsync<InvalidConfigurationException>(() =>
            CallersHost.Start(
                customers,
                new(Second(employees))
                {
                    ["Authentication:Schemes:Bearer:ValidIssuers:0"] = one,
                    ["Authentication:Schemes:Bearer:AllowedTenants:0"] = Tenant,
                    ["Authentication:Providers:employees:ValidIssuers:0"] = other,
                }
            )
        );

        Assert.Contains(stopped.Mistakes, m => m.Key == "Authentication:Providers:employees:ValidIssuers");
    }

    [Fact]
    public async Task Two_providers_whose_discovery_names_the_same_issuer_stop_the_host_and_are_named()
    {
        await using var customers = await TestIssuer.Start();
        await using var employees = await TestIssuer.Start();
        employees.IssuerName = customers.Address;
        await using var host = await CallersHost.Start(customers, new(Second(employees)));

        await Stopped(host);
        await host.Log.Until(e =>
            e.Exception?.Message is { } said
            && said.Contains("Authentication:Schemes:Bearer", StringComparison.Ordinal)
            && said.Contains("Authentication:Providers:employees", StringComparison.Ordinal)
            && said.Contains("same issuer", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_provider_that_later_claims_another_providers_issuer_keeps_only_its_own()
    {
        var clock = new ManualTimeProvider(DateTimeOffset.UtcNow);
        await using var customers = await TestIssuer.Start();
        await using var employees = await TestIssuer.Start();
        await using var host = await (
            await CallersHost.Start(
                customers,
                new(Second(employees)) { ["Authentication:KeyRefresh"] = "00:00:05" },
                b => b.Services.AddSingleton<TimeProvider>(clock)
            )
        ).Ready();
        var read = employees.DiscoveryFetches;
        employees.IssuerName = customers.Address;

        await Eventually.True(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(3));
            return employees.DiscoveryFetches > read + 1;
        });

        var now = clock.GetUtcNow();
        Assert.Equal("invalid_token", (await host.Get(employees.Token(now: now))).Code);
        Assert.Equal(HttpStatusCode.OK, (await host.Get(customers.Token(now: now))).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.Get(employees.Token(c => c["iss"] = employees.Address, now: now))).Status);
    }

    [Fact]
    public async Task An_issuer_of_many_tenants_accepts_only_the_listed_tenants()
    {
        await using var issuer = await TestIssuer.Start();
        var template = issuer.IssuerName = "https://login.example/{tenantid}/v2.0";
        await using var host = await (
            await CallersHost.Start(issuer, new() { ["Authentication:Schemes:Bearer:AllowedTenants:0"] = Tenant })
        ).Ready();

        Assert.Equal(HttpStatusCode.OK, (await host.Get(Of(Tenant, Tenant))).Status);
        Assert.Equal(Tenant, host.Reached.Last().Tenant);
        Assert.Equal("invalid_token", (await host.Get(Of(Stranger, Stranger))).Code);
        Assert.Equal("invalid_token", (await host.Get(Of(Stranger, Tenant))).Code);
        Assert.Equal("invalid_token", (await host.Get(Of(Tenant, Stranger))).Code);
        Assert.Equal("invalid_token", (await host.Get(Of(Tenant, null))).Code);
        Assert.Equal(
            "invalid_token",
            (
                await host.Get(
                    issuer.Token(c =>
                    {
                        c["iss"] = template;
                        c["tid"] = "{tenantid}";
                    })
                )
            ).Code
        );

        string Of(string inIssuer, string? tenant) =>
            issuer.Token(c =>
            {
                c["iss"] = template.Replace("{tenantid}", inIssuer, StringComparison.Ordinal);
                if (tenant is not null)
                {
                    c["tid"] = tenant;
                }
            });
    }

    [Fact]
    public async Task A_wildcard_allows_any_tenant_with_a_well_formed_id()
    {
        await using var issuer = await TestIssuer.Start();
        issuer.IssuerName = "https://login.example/{tenantid}/v2.0";
        await using var host = await (
            await CallersHost.Start(issuer, new() { ["Authentication:Schemes:Bearer:AllowedTenants:0"] = "*" })
        ).Ready();

        Assert.Equal(HttpStatusCode.OK, (await host.Get(Of(Stranger))).Status);
        Assert.Equal("invalid_token", (await host.Get(Of("x/../y"))).Code);
        Assert.Equal("invalid_token", (await host.Get(Of(".."))).Code);

        string Of(string tenant) =>
            issuer.Token(c =>
            {
                c["iss"] = $"https://login.example/{tenant}/v2.0";
                c["tid"] = tenant;
            });
    }

    [Fact]
    public async Task An_issuer_of_many_tenants_without_a_list_stops_the_host()
    {
        await using var issuer = await TestIssuer.Start();
        issuer.IssuerName = "https://login.example/{tenantid}/v2.0";
        await using var host = await CallersHost.Start(issuer);

        await Stopped(host);
        await host.Log.Until(e =>
            e.Exception?.Message.Contains("Authentication:Schemes:Bearer:AllowedTenants is missing", StringComparison.Ordinal) == true
        );
    }

    [Theory]
    [InlineData("https://login.microsoftonline.com/common/v2.0")]
    [InlineData("https://login.microsoftonline.com/organizations/v2.0/")]
    public async Task A_known_authority_of_many_tenants_without_a_list_stops_the_host_at_start(string authority)
    {
        var stopped = await Assert.ThrowsAsync<InvalidConfigurationException>(() =>
            CallersHost.Start(
                settings: new()
                {
                    ["Authentication:Schemes:Bearer:Type"] = "Entra",
                    ["Authentication:Schemes:Bearer:Authority"] = authority,
                }
            )
        );

        Assert.Contains(stopped.Mistakes, m => m.Key == "Authentication:Schemes:Bearer:AllowedTenants");
    }

    [Fact]
    public async Task A_key_that_entra_publishes_for_one_tenant_is_refused_for_another()
    {
        await using var issuer = await TestIssuer.Start();
        issuer.IssuerName = "https://login.example/{tenantid}/v2.0";
        var own = SigningTestKey.Rsa("of-one-tenant");
        own.Extra["issuer"] = $"https://login.example/{Tenant}/v2.0";
        issuer.Published[own.Kid] = own;
        await using var host = await (
            await CallersHost.Start(
                issuer,
                new() { ["Authentication:Schemes:Bearer:Type"] = "Entra", ["Authentication:Schemes:Bearer:AllowedTenants:0"] = "*" }
            )
        ).Ready();

        Assert.Equal(HttpStatusCode.OK, (await host.Get(Of(Tenant))).Status);
        Assert.Equal("invalid_token", (await host.Get(Of(Stranger))).Code);

        string Of(string tenant) =>
            issuer.Token(
                c =>
                {
                    c["iss"] = $"https://login.example/{tenant}/v2.0";
                    c["tid"] = tenant;
                    c["oid"] = "u-1";
                    c["scp"] = "api";
                },
                own
            );
    }

    [Theory]
    [InlineData(null, 10_000, false)]
    [InlineData("16384", 10_000, true)]
    [InlineData("16384", 17_000, false)]
    [InlineData("65536", 60_000, true)]
    public async Task A_token_may_be_as_large_as_configured_and_the_server_accepts_it(string? most, int size, bool admitted)
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await (
            await CallersHost.Start(issuer, new() { ["Authentication:Schemes:Bearer:MaxTokenBytes"] = most })
        ).Ready();
        var token = issuer.Token(c => c["groups"] = new string('g', size * 3 / 4));

        for (var attempt = 0; attempt < 2; attempt++) // The second attempt is answered from the token cache.
        {
            var (status, code, _) = await host.Get(token);
            Assert.Equal(admitted ? (HttpStatusCode.OK, null) : (HttpStatusCode.Unauthorized, "invalid_token"), (status, code));
        }
    }

    [Fact]
    public async Task A_server_limit_below_the_largest_token_stops_the_host()
    {
        await using var issuer = await TestIssuer.Start();

        var stopped = await Assert.ThrowsAsync<InvalidConfigurationException>(() =>
            CallersHost.Start(
                issuer,
                new() { ["Authentication:Schemes:Bearer:MaxTokenBytes"] = "65536", ["Kestrel:Limits:MaxRequestHeadersTotalSize"] = "32768" }
            )
        );

        Assert.Contains(stopped.Mistakes, m => m.Key == "Kestrel:Limits:MaxRequestHeadersTotalSize");
    }

    [Fact]
    public async Task Claims_clients_and_tenants_hold_for_opaque_tokens_too()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await (
            await CallersHost.Start(
                issuer,
                new()
                {
                    ["Authentication:Schemes:Bearer:Type"] = "Keycloak",
                    ["Authentication:Schemes:Bearer:ScopePrefix"] = "shop/",
                    ["Authentication:Schemes:Bearer:AllowedClients:0"] = "spa",
                    ["Authentication:Introspection:Endpoint"] = issuer.Address + "/introspect",
                    ["Authentication:Introspection:ClientId"] = "gateway",
                    ["Authentication:Introspection:ClientSecret"] = "s3cret",
                }
            )
        ).Ready();
        issuer.Opaque["good"] = Active("""{"sub":"u-1","azp":"spa","scope":"shop/api","realm_access":{"roles":["premium"]}}""");
        issuer.Opaque["another-client"] = Active("""{"sub":"u-1","azp":"other","scope":"shop/api"}""");
        issuer.Opaque["application"] = Active("""{"azp":"spa","scope":"shop/api"}""");

        Assert.Equal(HttpStatusCode.OK, (await host.Get("good")).Status);
        Assert.Equal(["premium"], host.Reached.Last().Roles);
        Assert.Equal("invalid_token", (await host.Get("another-client")).Code);
        Assert.Equal(HttpStatusCode.OK, (await host.Get("application")).Status);
        Assert.True(host.Reached.Last().IsApplication);

        static JsonObject Active(string claims)
        {
            var answer = JsonNode.Parse(claims)!.AsObject();
            answer["active"] = true;
            answer["exp"] = DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 600;
            return answer;
        }
    }

    private static Dictionary<string, string?> Second(TestIssuer issuer) =>
        new()
        {
            ["Authentication:Providers:employees:Authority"] = issuer.Address,
            ["Authentication:Providers:employees:ValidAudiences:0"] = "bff",
            ["Authentication:Providers:employees:RequireHttpsMetadata"] = "false",
        };

    private static async Task Stopped(CallersHost host)
    {
        var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        await Eventually.True(() => stopping.IsCancellationRequested);
    }
}
