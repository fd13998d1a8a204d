using Catalog.V1;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Grpc.Reflection.V1Alpha;

namespace WebBff.Tests.Calls;

/// <summary>Calls the sample catalogue, with its health and reflection services, through a gRPC route of the shipped host.</summary>
public sealed class GrpcTests(SharedSurroundings surroundings) : WebTest(surroundings)
{
    private static readonly Dictionary<string, string?> Routes = new()
    {
        ["Kestrel:Endpoints:Http2:Url"] = "http://127.0.0.1:0",
        ["Kestrel:Endpoints:Http2:Protocols"] = "Http2",
        ["ReverseProxy:Routes:catalog:ClusterId"] = "catalog",
        ["ReverseProxy:Routes:catalog:Match:Path"] = "/catalog.v1.ProductCatalog/{method}",
        ["ReverseProxy:Routes:catalog:Metadata:Scope"] = "api",
        ["ReverseProxy:Routes:catalog:Metadata:Protocol"] = "grpc",
        ["ReverseProxy:Routes:health:ClusterId"] = "catalog",
        ["ReverseProxy:Routes:health:Match:Path"] = "/grpc.health.v1.Health/{method}",
        ["ReverseProxy:Routes:health:AuthorizationPolicy"] = "Anonymous",
        ["ReverseProxy:Routes:health:Metadata:Protocol"] = "grpc",
        ["ReverseProxy:Routes:reflection:ClusterId"] = "catalog",
        ["ReverseProxy:Routes:reflection:Match:Path"] = "/grpc.reflection.v1alpha.ServerReflection/{method}",
        ["ReverseProxy:Routes:reflection:Metadata:Scope"] = "api",
        ["ReverseProxy:Routes:reflection:Metadata:Protocol"] = "grpc",
    };

    [Fact]
    public async Task The_catalogue_answers_its_callers_and_only_them()
    {
        var host = Start(Routes);
        using var channel = Channel(host);

        Assert.Equal("Trail Shoe", (await Ask(channel, "p-1", Token())).Name);
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => Ask(channel, "p-999", Token()))).StatusCode);
        Assert.Equal(StatusCode.Unauthenticated, (await Assert.ThrowsAsync<RpcException>(() => Ask(channel, "p-1", null))).StatusCode);
        Upstream.Catalog.Faults.Set(new Fault { Mode = FaultMode.Status, Status = 14 });
        Assert.Equal(StatusCode.Unavailable, (await Assert.ThrowsAsync<RpcException>(() => Ask(channel, "p-1", Token()))).StatusCode);
    }

    [Fact]
    public async Task Health_can_be_checked_and_watched()
    {
        using var channel = Channel(Start(Routes));
        var health = new Health.HealthClient(channel);

        Assert.Equal(
            HealthCheckResponse.Types.ServingStatus.Serving,
            (await health.CheckAsync(new() { Service = "catalog.v1.ProductCatalog" })).Status
        );
        using var watch = health.Watch(new());
        Assert.True(await watch.ResponseStream.MoveNext(default).WaitAsync(WaitLimit));
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, watch.ResponseStream.Current.Status);
    }

    [Fact]
    public async Task Reflection_lists_the_services()
    {
        using var channel = Channel(Start(Routes));
        using var asked = new ServerReflection.ServerReflectionClient(channel).ServerReflectionInfo(Bearer(Token()));
        await asked.RequestStream.WriteAsync(new() { ListServices = "" });

        Assert.True(await asked.ResponseStream.MoveNext(default).WaitAsync(WaitLimit));
        Assert.Contains("catalog.v1.ProductCatalog", asked.ResponseStream.Current.ListServicesResponse.Service.Select(s => s.Name));
        await asked.RequestStream.WriteAsync(new() { FileContainingSymbol = "catalog.v1.ProductCatalog" });
        Assert.True(await asked.ResponseStream.MoveNext(default).WaitAsync(WaitLimit));
        Assert.NotEmpty(asked.ResponseStream.Current.FileDescriptorResponse.FileDescriptorProto);
        await asked.RequestStream.CompleteAsync();
        Assert.False(await asked.ResponseStream.MoveNext(default).WaitAsync(WaitLimit));
    }

    private new string Token() => Surroundings.Token();

    private static GrpcChannel Channel(WebHost host) =>
        GrpcChannel.ForAddress(
            host.Addresses.Last(),
            new() { HttpHandler = new LeakSentinelHandler(host.Leaks, new SocketsHttpHandler { UseProxy = false }) }
        );

    private static async Task<Product> Ask(GrpcChannel channel, string id, string? token) =>
        await new ProductCatalog.ProductCatalogClient(channel).GetProductAsync(new() { Id = id }, token is null ? [] : Bearer(token));

    private static Metadata Bearer(string token) => [new("Authorization", "Bearer " + token)];
}
