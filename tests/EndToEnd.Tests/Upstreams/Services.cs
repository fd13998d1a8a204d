using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Bff.Dev.Upstreams;

namespace Bff.EndToEnd.Upstreams;

/// <summary>The sample services on free ports, and the requests that the contract promises to answer.</summary>
public sealed class Services : IAsyncLifetime
{
    public static readonly TimeSpan WaitLimit = TimeSpan.FromSeconds(60);

    private static readonly HttpClient Client = new(
        new SocketsHttpHandler { AllowAutoRedirect = false, ResponseDrainTimeout = TimeSpan.Zero }
    )
    {
        Timeout = WaitLimit,
    };

    public SampleServices All { get; private set; } = null!;

    public async Task InitializeAsync() => All = await SampleServices.StartAsync();

    public async Task DisposeAsync() => await All.DisposeAsync();

    public Task<HttpResponseMessage> SendAsync(
        string service,
        string method,
        string path,
        HttpContent? content = null,
        Action<HttpRequestHeaders>? headers = null,
        CancellationToken ct = default
    )
    {
        var request = new HttpRequestMessage(new HttpMethod(method), new Uri(All[service].Address, path)) { Content = content };
        if (service == "catalog")
            (request.Version, request.VersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
        headers?.Invoke(request.Headers);
        return Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ct);
    }

    /// <summary>A request that the healthy service answers with 200.</summary>
    public Task<HttpResponseMessage> AskAsync(string service, CancellationToken ct = default) =>
        service switch
        {
            "users" => SendAsync(service, "GET", "/users/u-1001", ct: ct),
            "orders" => SendAsync(service, "GET", "/orders/o-5001", ct: ct),
            "products" => SendAsync(service, "GET", "/products/p-1", ct: ct),
            "catalog" => SendAsync(service, "POST", "/catalog.v1.ProductCatalog/GetProduct", Frame([0x0a, 3, .. "p-1"u8]), ct: ct),
            "reviews" => SendAsync(service, "GET", "/products/p-1/reviews?limit=2", ct: ct),
            "inventory" => SendAsync(service, "GET", "/inventory/p-1", ct: ct),
            "pricing" => SendAsync(
                service,
                "POST",
                "/graphql",
                Json("""{"query":"{ pricing(productId: \"p-1\") { productId current } }"}"""),
                ct: ct
            ),
            "recommendations" => SendAsync(service, "GET", "/users/u-1001/recommendations?limit=2", ct: ct),
            "notifications" => SendAsync(service, "GET", "/users/u-1001/notifications?limit=2", ct: ct),
            "shipping" => SendAsync(service, "GET", "/shipments?orderId=o-5001", ct: ct),
            "search" => SendAsync(service, "GET", "/search?q=trail&limit=2", ct: ct),
            "media" => SendAsync(service, "GET", "/media/thumb/p-1.jpg", ct: ct),
            _ => throw new ArgumentOutOfRangeException(nameof(service)),
        };

    /// <summary>Sets a fault through another service's port, as a client without HTTP/2 must do for the catalogue.</summary>
    public async Task FaultAsync(string service, string fault)
    {
        using var answer = await SendAsync("users", "POST", $"/__faults?service={service}", Json(fault));
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    public async Task<JsonNode> GetAsync(string service, string path, Action<HttpRequestHeaders>? headers = null)
    {
        using var answer = await SendAsync(service, "GET", path, headers: headers);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return (await answer.Content.ReadFromJsonAsync<JsonNode>())!;
    }

    public static StringContent Json(string json) => new(json, Encoding.UTF8, "application/json");

    public static ByteArrayContent Frame(byte[] message)
    {
        var frame = new byte[5 + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), message.Length);
        message.CopyTo(frame, 5);
        return new ByteArrayContent(frame) { Headers = { ContentType = new MediaTypeHeaderValue("application/grpc") } };
    }
}
