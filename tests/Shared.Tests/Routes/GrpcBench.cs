using System.Collections.Frozen;
using System.Net;
using Bff.Callers;
using Bff.Callers.Clients;
using Bff.Observability;
using Bff.Requests;
using Bff.TestKit;
using Bff.TestKit.Calls;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Web;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Routes;

/// <summary>A gateway with a route to a real gRPC service, and real gRPC clients.</summary>
internal sealed class GrpcBench : IAsyncDisposable
{
    private readonly List<GrpcChannel> _channels = [];

    private GrpcBench(TalkHost service, TestHost gateway) => (Service, Gateway) = (service, gateway);

    public TalkHost Service { get; }

    public TestHost Gateway { get; }

    public ManualCaller Caller { get; private init; } = new();

    /// <summary>Address of the HTTP/1.1 endpoint.</summary>
    public Uri Http1 => Addresses.First();

    /// <summary>Address of the HTTP/2 endpoint.</summary>
    public Uri Http2 => Addresses.Last();

    public Talk.TalkClient Client => new(Channel());

    private IEnumerable<Uri> Addresses =>
        Gateway.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(a => new Uri(a));

    public static async Task<GrpcBench> Start(
        Dictionary<string, string?>? settings = null,
        TimeProvider? time = null,
        Stream? output = null
    )
    {
        var service = await TalkHost.Start();
        var caller = new ManualCaller();
        var all = new Dictionary<string, string?>
        {
            ["Kestrel:Endpoints:Http2:Url"] = "http://127.0.0.1:0",
            ["Kestrel:Endpoints:Http2:Protocols"] = "Http2",
            ["Upstreams:talk:Address"] = service.Address.ToString(),
            ["Upstreams:talk:Timeout"] = "00:01:00",
            ["Headers:Forward:0"] = "x-device",
            ["Headers:Return:0"] = "x-answer",
            ["ReverseProxy:Routes:talk:ClusterId"] = "talk",
            ["ReverseProxy:Routes:talk:Match:Path"] = "/bff.test.v1.Talk/{method}",
            ["ReverseProxy:Routes:talk:Metadata:Scope"] = "api",
            ["ReverseProxy:Routes:talk:Metadata:Protocol"] = "grpc",
            ["ReverseProxy:Routes:talk:Metadata:GrpcWeb"] = "true",
            ["Plans:free:RequestsPerMinute"] = "100000",
            ["Plans:free:Burst"] = "10000",
        };
        foreach (var (key, value) in settings ?? [])
        {
            all[key] = value;
        }

        var gateway = await TestHost.Start(
            builder =>
            {
                if (time is not null)
                {
                    builder.Services.AddSingleton(time);
                }

                builder.AddBffDefaults();
                if (output is not null)
                {
                    builder.Services.AddSingleton(new AccessLogOptions { Output = output });
                }

                builder.Services.AddSingleton<ICallerSource>(caller);
            },
            app => app.UseBffPipeline(),
            all
        );
        return new(service, gateway) { Caller = caller };
    }

    /// <summary>Opens a channel of gRPC over HTTP/2, or of gRPC-Web over HTTP/1.1.</summary>
    public GrpcChannel Channel(GrpcWebMode? web = null)
    {
        HttpMessageHandler handler = new LeakSentinelHandler(Gateway.Leaks, new SocketsHttpHandler { UseProxy = false });
        var channel = GrpcChannel.ForAddress(
            web is null ? Http2 : Http1,
            new()
            {
                HttpHandler = web is { } mode ? new GrpcWebHandler(mode, handler) : handler,
                HttpVersion = web is null ? HttpVersion.Version20 : HttpVersion.Version11,
                HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact,
                MaxReceiveMessageSize = null,
            }
        );
        _channels.Add(channel);
        return channel;
    }

    /// <summary>Returns the exception with the status that the call ends with.</summary>
    public static async Task<RpcException> Fails<T>(AsyncUnaryCall<T> call) =>
        await Assert.ThrowsAsync<RpcException>(async () => await call);

    public async ValueTask DisposeAsync()
    {
        _channels.ForEach(channel => channel.Dispose());
        await Gateway.DisposeAsync();
        await Service.DisposeAsync();
    }

    /// <summary>A caller source that returns the same caller for every request.</summary>
    internal sealed class ManualCaller : ICallerSource
    {
        public CallerResult Result { get; set; } = Of(DateTimeOffset.MaxValue);

        public string? Challenge => null;

        public static CallerResult Of(DateTimeOffset endsAt, string scope = "api") =>
            CallerResult.Ok(
                new Caller
                {
                    Subject = "u-1",
                    Kind = CallerKind.Token,
                    Scopes = FrozenSet.ToFrozenSet([scope]),
                    ExpiresAt = endsAt,
                }
            );

        public ValueTask<CallerResult> Resolve(HttpContext context) => new(Result);
    }
}
