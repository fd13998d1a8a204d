using System.Net;
using System.Text.Json.Nodes;
using Bff.Callers.Revoked;
using Bff.Idempotency;
using Bff.RateLimiting;
using Bff.Requests;
using Bff.Tenancy;
using Bff.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Callers;

/// <summary>
/// An application's token has no user. It is limited, cached, logged and forwarded separately from the user of the same name.
/// </summary>
public sealed class ApplicationTests
{
    private static readonly Caller User = new() { Subject = "u-1001", Kind = CallerKind.Token };
    private static readonly Caller Application = new()
    {
        Subject = Caller.ApplicationPrefix + "u-1001",
        IsApplication = true,
        Client = "u-1001",
        Kind = CallerKind.Token,
    };

    /// <summary>Every key under which the gateway stores or counts something for a caller.</summary>
    public static TheoryData<string, Func<Caller, string>> Places =>
        new()
        {
            { "limits", BucketKeys.Of },
            { "idempotency of callers", c => IdempotencyKey.ScopeOf(c, IdempotencyScope.Caller) },
            { "idempotency of tenants, without one", c => IdempotencyKey.ScopeOf(c, IdempotencyScope.Tenant) },
            { "whatever is keyed by subject", c => c.Subject },
        };

    [Theory]
    [MemberData(nameof(Places))]
    public void A_client_and_a_user_of_the_same_name_never_share_a_key(string place, Func<Caller, string> key) =>
        Assert.True(key(User) != key(Application), place);

    [Fact]
    public async Task Services_receive_the_client_and_no_user()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await (await CallersHost.Start(issuer, new() { ["Identity:SignedAssertion"] = "true" })).Ready();

        Assert.Equal(HttpStatusCode.OK, (await host.Get(Token(issuer))).Status);

        Assert.Equal("u-1001", host.Upstream["X-Client-Id"]);
        Assert.False(host.Upstream.ContainsKey("X-User-Id"));
        Assert.False(host.Upstream.ContainsKey("X-User-Email"));
        var claims = JsonNode.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(host.Upstream["X-Identity-Token"].Split('.')[1]))!;
        Assert.Equal("u-1001", (string?)claims["client_id"]);
        Assert.Null(claims["sub"]);
    }

    [Fact]
    public async Task A_user_and_a_client_of_the_same_name_have_separate_limits()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await (
            await CallersHost.Start(issuer, new() { ["Plans:free:Burst"] = "1", ["Plans:free:RequestsPerMinute"] = "1" })
        ).Ready();

        Assert.Equal(HttpStatusCode.OK, (await host.Get(issuer.Token(c => c["sub"] = "u-1001"))).Status);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await host.Get(issuer.Token(c => c["sub"] = "u-1001"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await host.Get(Token(issuer))).Status);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await host.Get(Token(issuer))).Status);
    }

    [Fact]
    public async Task The_tokens_of_a_user_and_of_a_client_of_the_same_name_are_revoked_separately()
    {
        await using var issuer = await TestIssuer.Start();
        await using var host = await (await CallersHost.Start(issuer)).Ready();
        var (user, application) = (issuer.Token(c => c["sub"] = "u-1001"), Token(issuer));
        var revocations = host.Services.GetRequiredService<Revocations>();
        var later = DateTimeOffset.UtcNow.AddSeconds(5);

        await revocations.RevokeSubject("u-1001", later);
        Assert.Equal("token_revoked", (await host.Get(user)).Code);
        Assert.Equal(HttpStatusCode.OK, (await host.Get(application)).Status);

        await revocations.RevokeSubject("client:u-1001", later);
        Assert.Equal("token_revoked", (await host.Get(application)).Code);
    }

    private static string Token(TestIssuer issuer) =>
        issuer.Token(c =>
        {
            c.Remove("sub");
            c["client_id"] = "u-1001";
            c["email"] = "app@example.com";
        });
}
