using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using Bff.Caching;
using Bff.Configuration;
using Bff.Life;
using Bff.Requests;
using Bff.Upstreams;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Refit;

namespace Bff.Composition;

/// <summary>
/// Composes answers from a service of its own on a loopback port, so that parts, resilience, connections (HTTP/1.1 and HTTP/2) and JSON are
/// compiled before the first client connects; also gRPC, if the host uses it. No real service is called; the port is closed afterwards.
/// </summary>
internal sealed partial class CompositionWarmup(
    IServiceProvider services,
    TimeProvider time,
    FragmentCache cache,
    Reloadable<CompositionPolicies> policies,
    ILogger<Composer> logger,
    GrpcUse? grpc = null
) : IWarmup
{
    private const int Rounds = 20;

    /// <summary>
    /// Timeout of the reads. A read that is slow because the code is cold must get no second attempt, which would load the resilience
    /// packages.
    /// </summary>
    private const string ColdRead = "00:01:00";

    public async Task Warm(CancellationToken cancellation)
    {
        await using var service = Service();
        await service.StartAsync(cancellation);
        var addresses = service.Urls.ToList();
        using var registry = new UpstreamRegistry(time);
        registry.Apply(
            UpstreamRegistry.Parse(
                new ConfigurationBuilder()
                    .AddInMemoryCollection(
                        new Dictionary<string, string?>
                        {
                            ["Upstreams:json:Address"] = addresses[0],
                            ["Upstreams:json:Timeout"] = ColdRead,
                            ["Upstreams:json:HedgeAfter"] = ColdRead,
                            ["Upstreams:grpc:Address"] = addresses[1],
                            ["Upstreams:grpc:Timeout"] = ColdRead,
                            ["Upstreams:grpc:HedgeAfter"] = ColdRead,
                            ["Upstreams:grpc:Http2"] = "true",
                        }
                    )
                    .Build(),
                new ConfigurationMistakes()
            )
        );

        var sender = new UpstreamSender(registry);
        var json = UpstreamsRegistration.Generated<IWarmUp>(new UpstreamClient("json", sender));
        using var message = grpc is null ? null : new OverGrpc(new UpstreamClient("grpc", sender));
        var composition = new CompositionServices(time, cache, policies, registry, logger);
        var isComposed = false;
        for (var round = 0; round < Rounds && !cancellation.IsCancellationRequested; round++)
        {
            isComposed = await Compose(json, message, composition);
        }

        if (!isComposed)
        {
            LogIncomplete(logger); // Only the last round counts: the first may time out because the code is cold.
        }
    }

    /// <returns>Whether every part had its data.</returns>
    private async Task<bool> Compose(IWarmUp json, OverGrpc? message, CompositionServices composition)
    {
        var context = new DefaultHttpContext { RequestServices = services };
        context.Features.Set(
            new BffRequest
            {
                HttpContext = context,
                RequestId = "warm-up",
                CorrelationId = "warm-up",
                StartTimestamp = time.GetTimestamp(),
            }
        );
        using var composer = Composer.For(context, composition);
        var first = composer.Required("first", json.Get("first"));
        composer.Optional("second", first, _ => json.Get("second", limit: 5, cursor: "c"));
        composer.Optional("third", json.Get("third")).Fallback(() => null);
        var last = message is null ? null : composer.Optional("fourth", message.Get());
        var answer = await composer.Compose(() => first.Value!, ServiceProblemJson.Default.ServiceProblem);
        await answer.ExecuteAsync(context);
        return first.HasValue && last is null or { HasValue: true };
    }

    [LoggerMessage(
        1701,
        LogLevel.Error,
        "The warm-up of compositions is incomplete; the host becomes ready without it, and its first requests are slower",
        EventName = "CompositionWarmupIncomplete"
    )]
    private static partial void LogIncomplete(ILogger logger);

    /// <summary>A client declared like those of hosts.</summary>
    internal interface IWarmUp
    {
        [Get("/warm-up/{name}")]
        UpstreamCall<ServiceProblem> Get(string name, int? limit = null, string? cursor = null);
    }

    internal sealed class Calls<T>() : DeclaredCalls<T>(ServiceProblemJson.Default);

    /// <summary>The same call over gRPC. A separate class, so that a host without gRPC does not load the packages.</summary>
    private sealed class OverGrpc(UpstreamClient upstream) : IDisposable
    {
        private static readonly Marshaller<Empty> NoMessage = Marshallers.Create(static _ => [], static _ => new Empty());
        private static readonly Method<Empty, Empty> Method = new(MethodType.Unary, "warmup", "read", NoMessage, NoMessage);
        private readonly GrpcChannel _channel = GrpcSender.Open(upstream);

        public UpstreamCall<ServiceProblem> Get() =>
            new GrpcClient<CallInvoker>(_channel.CreateCallInvoker(), upstream.Time).Read(
                static invoker => invoker.AsyncUnaryCall(Method, null, default, new Empty()),
                static _ => new ServiceProblem(null, null, null),
                ServiceProblemJson.Default.ServiceProblem
            );

        public void Dispose() => _channel.Dispose();
    }

    private static WebApplication Service()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder
            .WebHost.UseKestrelCore()
            .ConfigureKestrel(kestrel =>
            {
                var loopback = Socket.OSSupportsIPv4 ? IPAddress.Loopback : IPAddress.IPv6Loopback;
                kestrel.Listen(loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
                kestrel.Listen(loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
            });
        builder.Services.AddSingleton<IMeterFactory, UnseenMeters>();
        builder.Services.AddSingleton(new ActivitySource("Warm-up"));
        var service = builder.Build();
        service.Run(static async context =>
        {
            var isGrpc = HttpProtocol.IsHttp2(context.Request.Protocol);
            context.Response.ContentType = isGrpc ? "application/grpc" : "application/json";
            await context.Response.Body.WriteAsync(isGrpc ? new byte[5] : "{\"title\":\"warm\"}"u8.ToArray(), context.RequestAborted);
            if (isGrpc)
            {
                context.Response.AppendTrailer("grpc-status", "0");
            }
        });
        return service;
    }

    /// <summary>
    /// Creates meters that are not exported. An exporter treats instruments of the same name as one, so the end of this service would end
    /// the metrics of the gateway's own server.
    /// </summary>
    private sealed class UnseenMeters : IMeterFactory
    {
        private readonly List<Meter> _meters = [];

        public Meter Create(MeterOptions options)
        {
            var meter = new Meter(nameof(UnseenMeters));
            _meters.Add(meter);
            return meter;
        }

        public void Dispose() => _meters.ForEach(static m => m.Dispose());
    }
}
