using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Bff.Dev.IdentityProvider;

namespace Bff.EndToEnd.Tests.IdentityProvider;

public sealed class SafetyTests : IdentityProviderTests
{
    [Fact]
    public async Task Refuses_to_start_in_production_and_says_why()
    {
        using var process = Process.Start(
            new ProcessStartInfo("dotnet", [typeof(DevelopmentIdentityProvider).Assembly.Location])
            {
                Environment = { ["ASPNETCORE_ENVIRONMENT"] = "Production", ["IdentityProvider__Port"] = "0" },
                RedirectStandardError = true,
            }
        )!;
        var said = await process.StandardError.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(60));
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));

        Assert.Equal(1, process.ExitCode);
        Assert.Contains("does not start in Production", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pages_of_other_origins_cannot_mint_tokens()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/__token") { Content = JsonContent.Create(new { sub = "u-1001" }) };
        request.Headers.Add("Origin", "https://attacker.example");
        using var answer = await Browser.Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Fact]
    public async Task Faults_break_one_endpoint_and_can_be_taken_back()
    {
        Provider.Faults[IdentityEndpoint.Jwks] = FaultMode.Down;
        await Assert.ThrowsAsync<HttpRequestException>(() => Browser.Http.GetStringAsync("/.well-known/jwks.json"));
        Provider.Faults[IdentityEndpoint.Jwks] = FaultMode.Garbage;
        Assert.StartsWith("<html>", await Browser.Http.GetStringAsync("/.well-known/jwks.json"), StringComparison.Ordinal);
        Provider.Faults[IdentityEndpoint.Jwks] = FaultMode.Hang;
        var waiting = Browser.Http.GetStringAsync("/.well-known/jwks.json");
        await Provider.Calls.Reaches(IdentityEndpoint.Jwks, 3).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.False(waiting.IsCompleted);

        Provider.Faults.Clear();

        Assert.Contains("keys", await waiting, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_answer_leaves_the_refresh_token_spent()
    {
        var refreshToken = (string)(await Browser.Tokens())["refresh_token"]!;
        Provider.Faults[IdentityEndpoint.Refresh] = FaultMode.LoseAnswer;
        await Assert.ThrowsAsync<HttpRequestException>(() => Browser.Refresh(refreshToken));
        Provider.Faults.Clear();

        Assert.Equal("invalid_grant", (string?)(await Browser.Refresh(refreshToken))["error"]);
    }
}
