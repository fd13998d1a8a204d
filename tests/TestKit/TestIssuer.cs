using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Bff.TestKit;

/// <summary>A fault of an issuer.</summary>
public enum IssuerFault
{
    None,
    Reset,
    Error,
    Hang,
    NotJson,

    /// <summary>One member occurs twice, with different values.</summary>
    SaysTwice,
    NotAKeySet,
    OnlyDamagedKeys,
}

/// <summary>
/// An issuer of tokens that publishes discovery, keys and introspection, counts requests, fails on demand and signs whatever it is told to.
/// </summary>
public sealed class TestIssuer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<long> _keyFetches = new();
    private readonly CancellationTokenSource _hung = new();

    private int _introspections;
    private int _discoveryFetches;

    private TestIssuer(WebApplication app) => _app = app;

    public string Address => _app.Urls.First();

    public SigningTestKey Key { get; private set; } = SigningTestKey.Rsa("first");

    /// <summary>The keys in the key set.</summary>
    public ConcurrentDictionary<string, SigningTestKey> Published { get; } = new();

    public IssuerFault Fault { get; set; }

    public IssuerFault IntrospectionFault { get; set; }

    /// <summary>Key sets are read when they are requested, and sent when this completes.</summary>
    public Task KeysMayLeave { get; set; } = Task.CompletedTask;

    /// <summary>Issuer in discovery and <see cref="Claims"/>; null for its address.</summary>
    public string? IssuerName { get; set; }

    /// <summary>Requests to the token endpoint: the form, with <c>authorization</c> added.</summary>
    public ConcurrentQueue<IReadOnlyDictionary<string, string>> TokenRequests { get; } = new();

    public IssuerFault TokenFault { get; set; }

    /// <summary>Token requests are counted when they arrive, and answered when this completes.</summary>
    public Task TokensMayLeave { get; set; } = Task.CompletedTask;

    /// <summary>Returns the token endpoint's answer and its status.</summary>
    public Func<IReadOnlyDictionary<string, string>, (int Status, JsonObject Answer)>? AnswerToken { get; set; }

    /// <summary>Opaque tokens and the answers of introspection to them.</summary>
    public ConcurrentDictionary<string, JsonObject> Opaque { get; } = new();

    public int Introspections => _introspections;

    public int DiscoveryFetches => _discoveryFetches;

    /// <summary>Times at which the keys were fetched (<see cref="Stopwatch"/> ticks).</summary>
    public IReadOnlyList<long> KeyFetches => [.. _keyFetches];

    public static async Task<TestIssuer> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var issuer = new TestIssuer(app);
        issuer.Published[issuer.Key.Kid] = issuer.Key;
        app.MapGet("/.well-known/openid-configuration", issuer.Discovery);
        app.MapGet("/keys", issuer.Keys);
        app.MapPost("/introspect", issuer.Introspect);
        app.MapPost("/token", issuer.Token);
        await app.StartAsync();
        return issuer;
    }

    /// <summary>Signs with a new key from now on, and publishes it unless told otherwise.</summary>
    public SigningTestKey Rotate(string kid, bool publish = true, bool withdrawOld = false)
    {
        if (withdrawOld)
        {
            Published.TryRemove(Key.Kid, out _);
        }

        var next = SigningTestKey.Rsa(kid);
        if (publish)
        {
            Published[kid] = next; // Published before anybody signs with it.
        }

        return Key = next;
    }

    /// <summary>Returns a valid token, with changes to its claims by <paramref name="change"/>.</summary>
    public string Token(Action<JsonObject>? change = null, SigningTestKey? key = null, DateTimeOffset? now = null)
    {
        var claims = Claims(now);
        change?.Invoke(claims);
        return (key ?? Key).Sign(claims);
    }

    public JsonObject Claims(DateTimeOffset? now = null)
    {
        var issuedAt = (now ?? DateTimeOffset.UtcNow).ToUnixTimeSeconds();
        return new JsonObject
        {
            ["iss"] = IssuerName ?? Address,
            ["aud"] = "bff",
            ["sub"] = "u-1",
            ["iat"] = issuedAt,
            ["exp"] = issuedAt + 600,
            ["jti"] = Guid.NewGuid().ToString("N"),
            ["scope"] = "api",
        };
    }

    public async ValueTask DisposeAsync()
    {
        await _hung.CancelAsync();
        await _app.DisposeAsync();
        _hung.Dispose();
    }

    private async Task Discovery(HttpContext context)
    {
        Interlocked.Increment(ref _discoveryFetches);
        if (!await Broken(context, Fault))
        {
            await context.Response.WriteAsync(
                new JsonObject
                {
                    ["issuer"] = IssuerName ?? Address,
                    ["jwks_uri"] = Address + "/keys",
                    ["token_endpoint"] = Address + "/token",
                }.ToJsonString()
            );
        }
    }

    private async Task Keys(HttpContext context)
    {
        var keys = new JsonObject { ["keys"] = new JsonArray([.. Published.Values.Select(k => k.PublicJwk())]) }.ToJsonString();
        _keyFetches.Enqueue(Stopwatch.GetTimestamp());
        if (!await Broken(context, Fault))
        {
            await KeysMayLeave;
            await context.Response.WriteAsync(keys);
        }
    }

    private async Task Token(HttpContext context)
    {
        var form = await context.Request.ReadFormAsync();
        var asked = form.ToDictionary(f => f.Key, f => f.Value.ToString());
        asked["authorization"] = context.Request.Headers.Authorization.ToString();
        TokenRequests.Enqueue(asked);
        var number = TokenRequests.Count;
        if (await Broken(context, TokenFault))
        {
            return;
        }

        await TokensMayLeave;
        var (status, answer) =
            AnswerToken?.Invoke(asked)
            ?? (
                200,
                new JsonObject
                {
                    ["access_token"] = $"granted-{number}",
                    ["token_type"] = "Bearer",
                    ["expires_in"] = 600,
                }
            );
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(answer.ToJsonString());
    }

    private async Task Introspect(HttpContext context)
    {
        Interlocked.Increment(ref _introspections);
        if (await Broken(context, IntrospectionFault))
        {
            return;
        }

        var form = await context.Request.ReadFormAsync();
        var isKnownClient = context.Request.Headers.Authorization == "Basic " + Convert.ToBase64String("gateway:s3cret"u8);
        if (!isKnownClient)
        {
            context.Response.StatusCode = 401;
            return;
        }

        var answer = Opaque.TryGetValue(form["token"].ToString(), out var known)
            ? known.DeepClone()
            : new JsonObject { ["active"] = false };
        await context.Response.WriteAsync(answer.ToJsonString());
    }

    private async Task<bool> Broken(HttpContext context, IssuerFault fault)
    {
        switch (fault)
        {
            case IssuerFault.Reset:
                context.Abort();
                return true;
            case IssuerFault.Error:
                context.Response.StatusCode = 500;
                return true;
            case IssuerFault.Hang:
                using (var either = CancellationTokenSource.CreateLinkedTokenSource(_hung.Token, context.RequestAborted))
                {
                    await Task.Delay(Timeout.Infinite, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                }

                return true;
            case IssuerFault.NotJson:
                await context.Response.WriteAsync("<html>Be right back</html>");
                return true;
            case IssuerFault.SaysTwice:
                await context.Response.WriteAsync("""{"active":false,"sub":"u-7","aud":"bff","scope":"api","active":true}""");
                return true;
            case IssuerFault.NotAKeySet:
                await context.Response.WriteAsync("{}");
                return true;
            case IssuerFault.OnlyDamagedKeys when context.Request.Path == "/keys":
                await context.Response.WriteAsync(
                    """{"keys":[{"kty":"RSA","kid":"first","n":"!!","e":"AQAB"},{"kty":"EC","crv":"P-256","x":"AA","y":"AA"},7]}"""
                );
                return true;
            default:
                return false;
        }
    }
}
