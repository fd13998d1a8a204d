using System.Net;
using System.Text.Json.Nodes;
using Bff.TestKit;

namespace Bff.Shared.Tests.Callers.Bearer;

/// <summary>One issuer and one gateway that all cases share.</summary>
public sealed class TokenTable : IAsyncLifetime
{
    internal TestIssuer Issuer { get; private set; } = null!;

    internal CallersHost Host { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Issuer = await TestIssuer.Start();
        TokenCases.ForEncryption.Extra["use"] = "enc";
        TokenCases.OnlyPs.Extra["alg"] = "PS256";
        foreach (
            var key in (SigningTestKey[])
                [TokenCases.Ec256, TokenCases.Ec384, TokenCases.Ec512, TokenCases.OnlyPs, TokenCases.ForEncryption, TokenCases.Weak]
        )
        {
            Issuer.Published[key.Kid] = key;
        }

        Host = await (await CallersHost.Start(Issuer)).Ready();
    }

    public async Task DisposeAsync()
    {
        await Host.DisposeAsync();
        await Issuer.DisposeAsync();
    }
}

public sealed class TokenTableTests(TokenTable table) : IClassFixture<TokenTable>
{
    public static TheoryData<string> Cases => [.. TokenCases.All.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Each_token_is_accepted_or_refused_with_its_expected_code(string name)
    {
        var @case = TokenCases.All.Single(c => c.Name == name);
        var token = @case.Token(table.Issuer);
        for (var attempt = 0; attempt < 2; attempt++) // The second attempt is answered from the token cache.
        {
            table.Host.Reached.Clear();
            var (status, code, response) = await table.Host.Get(token);
            Assert.Equal(@case.Code, code);
            if (@case.Code is null)
            {
                Assert.Equal(HttpStatusCode.OK, status);
                Assert.Equal("u-1", Assert.Single(table.Host.Reached).Subject);
                Assert.Equal("u-1", table.Host.Upstream["X-User-Id"]);
                continue;
            }

            Assert.Empty(table.Host.Reached);
            var challenge = Assert.Single(response.Headers.WwwAuthenticate);
            Assert.Equal("Bearer", challenge.Scheme);
            Assert.Equal(code == "insufficient_scope" ? HttpStatusCode.Forbidden : HttpStatusCode.Unauthorized, status);
            Assert.Contains(
                code == "insufficient_scope" ? "error=\"insufficient_scope\"" : "error=\"invalid_token\"",
                challenge.Parameter,
                StringComparison.Ordinal
            );
        }
    }

    [Theory]
    [InlineData("jti", "5")]
    [InlineData("iat", "\"now\"")]
    [InlineData("exp", "null")]
    [InlineData("aud", "[5,\"bff\"]")]
    public async Task A_claim_of_the_wrong_type_is_not_blamed_on_the_signature(string claim, string value)
    {
        var token = table.Issuer.Token(claims => claims[claim] = JsonNode.Parse(value));

        var (_, code, response) = await table.Host.Get(token);

        Assert.Equal("invalid_token", code);
        Assert.Contains("claim", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
