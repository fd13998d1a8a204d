using System.Net.Http.Json;
using System.Text.Json;

namespace Bff.Dev.Stack;

/// <summary>A call that works when pasted into a terminal.</summary>
internal sealed record ExampleCall(string Host, string Url, string Credential, string? Body = null, string? IdempotencyKey = null)
{
    public string Curl =>
        Body is null
            ? $"curl -s -H 'Authorization: Bearer {Credential}' '{Url}'"
            : $"curl -s -H 'Authorization: Bearer {Credential}' -H 'Content-Type: application/json' -H 'Idempotency-Key: {IdempotencyKey}' -d '{Body}' '{Url}'";
}

/// <summary>The calls that the banner shows and the check makes, with valid credentials.</summary>
internal sealed class ExampleCalls(HttpClient http, IReadOnlyList<ExampleCall> all)
{
    public HttpClient Http => http;

    public IReadOnlyList<ExampleCall> All => all;

    /// <summary>One composed call for each host.</summary>
    public IEnumerable<ExampleCall> Composed => all.DistinctBy(c => c.Host);

    public static async Task<ExampleCalls> Make(RunningStack stack, CancellationToken cancellation)
    {
        var token = await Token(stack.Http, cancellation);
        return new ExampleCalls(
            stack.Http,
            [
                new("MobileBff", StackPlan.Mobile + "/home-feed", token),
                new("MobileBff", StackPlan.Mobile + "/products/p-1", token),
                new("WebBff", StackPlan.Web + "/api/products/p-1", token),
                new("WebBff", StackPlan.Web + "/api/dashboard", token),
                new("PartnerBff", StackPlan.Partner + "/v1/orders?limit=2", stack.ApiKey),
                new(
                    "PartnerBff",
                    StackPlan.Partner + "/v1/orders",
                    stack.ApiKey,
                    """{"reference":"po-1","currency":"EUR","items":[{"product_id":"p-1","quantity":1}]}""",
                    Guid.NewGuid().ToString("N")
                ),
            ]
        );
    }

    private static async Task<string> Token(HttpClient http, CancellationToken cancellation)
    {
        using var wish = JsonContent.Create(
            new
            {
                sub = "u-1001",
                scope = "api",
                expiresIn = 8 * 3600,
            }
        );
        using var answer = await http.PostAsync(StackPlan.IdentityProvider + "/__token", wish, cancellation);
        answer.EnsureSuccessStatusCode();
        using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(cancellation));
        return document.RootElement.GetProperty("access_token").GetString()!;
    }
}
