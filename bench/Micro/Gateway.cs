using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Bff.Callers;
using Bff.Callers.ApiKeys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Bff.Benchmarks;

/// <summary>A whole gateway with embedded state, so that the measured parts are wired as in a host.</summary>
internal sealed class Gateway : IAsyncDisposable
{
    private const string Secret = "a secret for benchmarks, of 32 bytes or more",
        Issuer = "https://issuer.example";
    private readonly WebApplication _app;

    private Gateway(WebApplication app) => _app = app;

    public IServiceProvider Services => _app.Services;

    /// <summary>A live key with every scope.</summary>
    public static string ApiKey { get; } = ApiKeyFormat.New(isTest: false);

    public static async Task<Gateway> Start()
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = "Testing" });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration.AddInMemoryCollection(
            new Dictionary<string, string?>
            {
                ["Authentication:Schemes:Bearer:ValidAudiences:0"] = "bff",
                ["Authentication:Schemes:Bearer:ValidIssuer"] = Issuer,
                ["Authentication:SharedSecrets:0"] = Secret,
                ["ApiKeys:Bootstrap:acme"] = ApiKey,
                ["Limits:Mode"] = "Leased",
                ["Plans:enterprise:RequestsPerMinute"] = "10000000",
                ["Plans:enterprise:Burst"] = "10000000",
                ["AccessLog:Enabled"] = "false",
            }
        );
        builder.AddBffDefaults();
        builder.AddApiKeys("orders.read");
        builder.AddBearerTokens();
        var app = builder.Build();
        app.UseBffPipeline();
        await app.StartAsync();
        return new Gateway(app);
    }

    /// <summary>Returns a token as issuers make them; HS256, because the benchmark measures the lookup of a verified token.</summary>
    public static string Token()
    {
        var expires = DateTimeOffset.UtcNow.AddHours(6).ToUnixTimeSeconds();
        var head =
            Encode("""{"alg":"HS256","typ":"JWT"}""")
            + "."
            + Encode(
                $$"""{"iss":"{{Issuer}}","aud":["bff"],"sub":"u-1","roles":["enterprise"],"scope":"api openid profile","client_id":"app","email":"ada@example.com","name":"Ada","jti":"1","exp":{{expires}}}"""
            );
        return head + "." + Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), Encoding.ASCII.GetBytes(head)));
    }

    public DefaultHttpContext Request(string authorization)
    {
        var context = new DefaultHttpContext { RequestServices = Services };
        context.Request.Method = "GET";
        context.Request.Path = "/";
        context.Request.Headers.Authorization = authorization;
        return context;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
}
