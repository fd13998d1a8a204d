using System.Net;
using BenchmarkDotNet.Attributes;
using Bff.Concurrency;
using Bff.Configuration;
using Bff.Requests;
using Bff.Upstreams;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Bff.Benchmarks;

/// <summary>
/// Compares one unary call over HTTP/2 on loopback by Grpc.Net.Client, on the upstream's resilience and bounds, with the same without it:
/// the message's bytes posted to the same upstream. Gives the figures of docs/decisions/grpc-client.md.
/// </summary>
#pragma warning disable CA1001 // GlobalCleanup disposes of it.
public class GrpcCalls
#pragma warning restore CA1001
{
    private static readonly StringValue Question = new() { Value = "p-1" };
    private static readonly byte[] Frame = [0, 0, 0, 0, 5, .. Question.ToByteArray()];
    private readonly Method<StringValue, StringValue> _method = new(
        MethodType.Unary,
        "catalog.v1.ProductCatalog",
        "GetProduct",
        Marshaller(StringValue.Parser),
        Marshaller(StringValue.Parser)
    );

    private readonly UpstreamRegistry _registry = new(TimeProvider.System);
    private WebApplication _service = null!;
    private UpstreamClient _upstream = null!;
    private GrpcChannel _channel = null!;
    private GrpcClient<CallInvoker> _client = null!;

    /// <summary>Starts a service that answers every call with the same message of 600 bytes.</summary>
    [GlobalSetup]
    public async Task Start()
    {
        var message = new StringValue { Value = new('a', 600) }.ToByteArray();
        byte[] frame = [0, .. BitConverter.GetBytes(IPAddress.HostToNetworkOrder(message.Length)), .. message];
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2)
        );
        _service = builder.Build();
        _service.Run(async context =>
        {
            context.Response.ContentType = "application/grpc";
            await context.Response.Body.WriteAsync(frame);
            context.Response.AppendTrailer("grpc-status", "0");
        });
        await _service.StartAsync();
        _registry.Apply(
            UpstreamRegistry.Parse(
                new ConfigurationBuilder()
                    .AddInMemoryCollection(
                        new Dictionary<string, string?>
                        {
                            ["Upstreams:catalog:Address"] = _service.Urls.First(),
                            ["Upstreams:catalog:Http2"] = "true",
                            ["Upstreams:catalog:Timeout"] = "00:00:30",
                        }
                    )
                    .Build(),
                new ConfigurationMistakes()
            )
        );
        _upstream = new UpstreamClient("catalog", new UpstreamSender(_registry));
        _channel = GrpcSender.Open(_upstream);
        _client = new(_channel.CreateCallInvoker(), TimeProvider.System);
    }

    /// <summary>Stops the service.</summary>
    [GlobalCleanup]
    public async Task Stop()
    {
        _channel.Dispose();
        _registry.Dispose();
        await _service.DisposeAsync();
    }

    /// <summary>Calls as hosts do.</summary>
    [Benchmark]
    public async Task<int> By_Grpc_Net_Client() =>
        (await _client.Make(invoker => invoker.AsyncUnaryCall(_method, null, default, Question), Context())).Value!.Value.Length;

    /// <summary>Measures the upstream alone.</summary>
    [Benchmark(Baseline = true)]
    public async Task<int> Without_a_client()
    {
        var message = new HttpRequestMessage(HttpMethod.Post, new Uri("catalog.v1.ProductCatalog/GetProduct", UriKind.Relative))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(Frame),
        };
        message.Content.Headers.ContentType = new("application/grpc");
        message.Headers.TryAddWithoutValidation("TE", "trailers");
        message.Options.Set(Repeatable.ReadsOnly, true);
        using var sent = await _upstream.SendRaw(message, Context());
        return sent.Body!.Memory.Length;
    }

    private static CallContext Context() =>
        new(
            new BffRequest
            {
                RequestId = "r-1",
                CorrelationId = "c-1",
                StartTimestamp = 0,
            },
            Deadline.In(TimeSpan.FromSeconds(30), TimeProvider.System),
            default
        );

    private static Marshaller<T> Marshaller<T>(MessageParser<T> parser)
        where T : IMessage<T> =>
        Marshallers.Create(
            (message, context) =>
            {
                context.SetPayloadLength(message.CalculateSize());
                message.WriteTo(context.GetBufferWriter());
                context.Complete();
            },
            context => parser.ParseFrom(context.PayloadAsReadOnlySequence())
        );
}
