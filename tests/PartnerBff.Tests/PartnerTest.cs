global using System.Net;
global using System.Net.Http.Headers;
global using System.Net.Http.Json;
global using System.Text.Json.Nodes;
global using Bff.Callers.ApiKeys;
global using Bff.Dev.Upstreams;
global using Bff.TestKit;
global using Fault = Bff.Dev.Upstreams.Faults.Fault;
global using FaultMode = Bff.Dev.Upstreams.Faults.FaultMode;
global using PartnerHost = Bff.TestKit.GatewayHost<PartnerBff.Features.V1.OrderV1>;
global using TokenRequest = Bff.Dev.IdentityProvider.TokenRequest;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace PartnerBff.Tests;

/// <summary>Shared by the tests of a class, which run one after the other.</summary>
public sealed class SharedSurroundings : IAsyncLifetime
{
    public Surroundings Value { get; private set; } = null!;

    /// <summary>The services of the sandbox, which know nothing of the live ones.</summary>
    public SampleServices Sandbox { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Value = await Surroundings.StartAsync();
        Sandbox = await SampleServices.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await Value.DisposeAsync();
        await Sandbox.DisposeAsync();
    }
}

/// <summary>Starts fresh hosts for every test; the services are reset to their initial state.</summary>
public abstract class PartnerTest : IClassFixture<SharedSurroundings>, IAsyncLifetime
{
    protected static readonly string AcmeKey = ApiKeyFormat.New(isTest: false);
    protected static readonly string AcmeTestKey = ApiKeyFormat.New(isTest: true);
    protected static readonly string GlobexKey = ApiKeyFormat.New(isTest: false);
    protected static readonly string InitechKey = ApiKeyFormat.New(isTest: false);

    internal static readonly string[] Parts =
    [
        "orders:orders",
        "order:order",
        "products:products",
        "product:product",
        "inventory:inventory",
    ];

    private readonly List<IAsyncDisposable> _hosts = [];

    protected PartnerTest(SharedSurroundings surroundings)
    {
        Surroundings = surroundings.Value;
        Sandbox = surroundings.Sandbox;
        Upstream.Reset();
        Sandbox.Reset();
        Surroundings.Identity.ChangeIdToken = null;
        Surroundings.Identity.Options.Time = TimeProvider.System;
    }

    protected static TimeSpan WaitLimit { get; } = TimeSpan.FromSeconds(60);

    protected Surroundings Surroundings { get; }

    protected SampleServices Upstream => Surroundings.Services;

    protected SampleServices Sandbox { get; }

    /// <summary>Starts a host with timeouts that no slow machine reaches, except those that the test sets.</summary>
    protected PartnerHost Start(
        Dictionary<string, string?>? settings = null,
        RedisServer? redis = null,
        Action<IServiceCollection>? services = null
    )
    {
        var all = Generous
            .Settings()
            .WithParts(Parts)
            .WithAttempts(Sandbox, "Sandbox:Upstreams")
            .With(
                new Dictionary<string, string?>
                {
                    ["ApiKeys:Bootstrap:acme"] = AcmeKey,
                    ["ApiKeys:Bootstrap:globex"] = GlobexKey,
                    ["ApiKeys:Bootstrap:initech"] = InitechKey,
                    ["ConnectionStrings:redis"] = redis?.ConnectionString,
                }
            );
        all.With(Sandbox.All.Select(s => KeyValuePair.Create($"Sandbox:Upstreams:{s.Name}:Address", (string?)s.Address.ToString())))
            .With(settings);

        foreach (var key in all.Where(s => s.Value is null).Select(s => s.Key).ToList())
        {
            all.Remove(key); // A key without a value would still make its section exist.
        }

        var host = PartnerHost.Start(Surroundings, all, services);
        _hosts.Add(host);
        return host;
    }

    protected RedisServer StartRedis()
    {
        var server = RedisServer.Run();
        _hosts.Insert(0, new Last(server));
        return server;
    }

    protected static JsonObject Order(string product = "p-1", int quantity = 1, string? reference = null)
    {
        var order = new JsonObject
        {
            ["currency"] = "EUR",
            ["items"] = new JsonArray(new JsonObject { ["product_id"] = product, ["quantity"] = quantity }),
        };
        if (reference is not null)
        {
            order["reference"] = reference;
        }

        return order;
    }

    protected static Task<HttpResponseMessage> Send(
        PartnerHost host,
        HttpMethod method,
        string path,
        string? credential,
        JsonNode? body = null,
        string? key = null,
        HttpClient? client = null,
        CancellationToken cancellation = default
    )
    {
        var request = new HttpRequestMessage(method, path);
        if (credential is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", credential);
        }

        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), new MediaTypeHeaderValue("application/json"));
        }

        if (key is not null)
        {
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        }

        return (client ?? host.Client).SendAsync(request, cancellation);
    }

    /// <summary>Makes a key with the credential and returns the whole answer, including the key itself.</summary>
    protected static async Task<JsonObject> MakeKey(PartnerHost host, string credential, string mode, params string[] scopes)
    {
        var body = new JsonObject
        {
            ["name"] = "made",
            ["mode"] = mode,
            ["scopes"] = new JsonArray([.. scopes.Select(s => JsonValue.Create(s))]),
        };
        return await Json(await Send(host, HttpMethod.Post, "/v1/api-keys", credential, body), 201);
    }

    protected static Task<HttpResponseMessage> Get(PartnerHost host, string path, string? credential) =>
        Send(host, HttpMethod.Get, path, credential);

    protected static Task<JsonObject> Json(HttpResponseMessage response, int status = 200) => JsonAnswer.Of(response, status);

    protected static Task<JsonObject> Problem(HttpResponseMessage response, int status, string code) =>
        JsonAnswer.Problem(response, status, code);

    /// <summary>Waits until the host reads and writes the shared store.</summary>
    protected static Task Connected(PartnerHost host) =>
        Eventually.True(() => host.Services.GetRequiredService<Bff.State.RedisState>().IsAvailable, WaitLimit);

    /// <summary>
    /// Checks that no host accepts the key later than one second after its revocation. The time of the request counts, however long the
    /// answer takes. On a machine that is slow to deliver the message of the revocation to a host, that host has more time, but a host that
    /// never gets the message fails the check.
    /// </summary>
    protected static async Task IsRefusedWithinOneSecond(string path, string key, string id, Func<Task> revoke, params PartnerHost[] hosts)
    {
        // The hosts subscribed earlier, so their listeners are called before these.
        var told = hosts.Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).ToList();
        var listening = hosts
            .Zip(
                told,
                (host, heard) =>
                    host
                        .Services.GetRequiredService<Bff.State.RedisState>()
                        .Subscribe(
                            "bff:apikeys:changed",
                            changed =>
                            {
                                if (changed.EndsWith(' ' + id, StringComparison.Ordinal))
                                {
                                    heard.TrySetResult();
                                }
                            }
                        )
            )
            .ToList();
        await revoke();
        var since = Stopwatch.StartNew();
        await Task.WhenAll(
            hosts.Zip(
                told,
                async (host, heard) =>
                {
                    var (asked, isTold) = (since.Elapsed, heard.Task.IsCompleted);
                    HttpResponseMessage answer;
                    while ((answer = await Get(host, path, key)).StatusCode == HttpStatusCode.OK)
                    {
                        Assert.False(asked >= TimeSpan.FromSeconds(1) && isTold, $"A revoked key was served {asked} after its end.");
                        (asked, isTold) = (since.Elapsed, heard.Task.IsCompleted);
                    }

                    await Problem(answer, 401, "invalid_api_key");
                    Assert.True(
                        asked < TimeSpan.FromSeconds(1) || heard.Task.IsCompleted,
                        $"A revoked key was served for {asked}, and nobody told the host."
                    );
                }
            )
        );
        listening.ForEach(l => l.Dispose());
    }

    /// <summary>
    /// Lets the service take the given number of orders (or a few more, if some arrive at the same time) and holds the others until the
    /// result is disposed.
    /// </summary>
    protected IDisposable HoldAfter(int orders)
    {
        var held = Upstream.Orders.Faults.Hold("/orders");
        Upstream.Orders.Faults.Set(
            new Fault
            {
                Mode = FaultMode.Delay,
                Path = "/orders",
                Method = "POST",
                Count = orders,
            }
        );
        return held;
    }

    protected static int Placed(SampleServices services) => services.Orders.Calls.All.Count(c => c is { Method: "POST", Path: "/orders" });

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        for (var i = _hosts.Count - 1; i >= 0; i--)
        {
            await _hosts[i].DisposeAsync();
        }
    }

    private sealed class Last(RedisServer server) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            server.Dispose();
            return default;
        }
    }
}
