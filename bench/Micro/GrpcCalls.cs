using System.Collections.Concurrent;
using System.Globalization;
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
/// One unary call over HTTP/2 on loopback, through the upstream's resilience and bounds: by the gateway's own client, and by
/// Grpc.Net.Client on a handler that hands its request to the same upstream. The figures of docs/decisions/grpc-client.md.
/// </summary>
#pragma warning disable CA1001 // GlobalCleanup disposes of it.
public class GrpcCalls
#pragma warning restore CA1001
{
    private static readonly StringValue Question = new() { Value = "p-1" };
    private readonly Method<StringValue, StringValue> _method = new(
        MethodType.Unary,
        "catalog.v1.ProductCatalog",
        "GetProduct",
        Marshaller(StringValue.Parser),
        Marshaller(StringValue.Parser)
    );

    private readonly UpstreamRegistry _registry = new(TimeProvider.System);
    private WebApplication _service = null!;
    private GrpcClient _own = null!;
    private UpstreamHandler _handler = null!;
    private GrpcChannel _channel = null!;
    private CallInvoker _package = null!;

    /// <summary>A service that answers every call with the same message of 600 bytes.</summary>
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
        var upstream = new UpstreamClient("catalog", new UpstreamSender(_registry));
        _own = new(upstream);
        _handler = new(upstream);
        _channel = GrpcChannel.ForAddress("http://upstream", new GrpcChannelOptions { HttpHandler = _handler });
        _package = _channel.CreateCallInvoker();
    }

    /// <summary>Stops it.</summary>
    [GlobalCleanup]
    public async Task Stop()
    {
        _channel.Dispose();
        _handler.Dispose();
        _registry.Dispose();
        await _service.DisposeAsync();
    }

    /// <summary>As hosts call.</summary>
    [Benchmark(Baseline = true)]
    public async Task<int> By_our_client() =>
        (await _own.Read("catalog.v1.ProductCatalog/GetProduct", Question, StringValue.Parser, Context())).Value!.Value.Length;

    /// <summary>The same by the package.</summary>
    [Benchmark]
    public async Task<int> By_Grpc_Net_Client()
    {
        var (id, call) = (_handler.Keep(Context()), default(AsyncUnaryCall<StringValue>));
        try
        {
            call = _package.AsyncUnaryCall(_method, null, new CallOptions([new(UpstreamHandler.Header, id)]), Question);
            return (await call.ResponseAsync).Value.Length;
        }
        finally
        {
            call?.Dispose();
            _handler.Forget(id);
        }
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

    /// <summary>
    /// The least that the package needs below it: the call's context comes by a header, since nothing else of a call reaches a handler.
    /// </summary>
    private sealed class UpstreamHandler(UpstreamClient upstream) : HttpMessageHandler
    {
        public const string Header = "bff-call";
        private readonly ConcurrentDictionary<string, CallContext> _calls = new();
        private long _next;

        public string Keep(CallContext call)
        {
            var id = Interlocked.Increment(ref _next).ToString(CultureInfo.InvariantCulture);
            _calls[id] = call;
            return id;
        }

        public void Forget(string id) => _calls.TryRemove(id, out _);

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var call = _calls[request.Headers.GetValues(Header).Single()];
            var message = new HttpRequestMessage(HttpMethod.Post, new Uri(request.RequestUri!.AbsolutePath[1..], UriKind.Relative))
            {
                Version = HttpVersion.Version20,
                VersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Content = new ByteArrayContent(await request.Content!.ReadAsByteArrayAsync(cancellationToken))
                {
                    Headers = { ContentType = request.Content.Headers.ContentType },
                },
            };
            foreach (var (name, values) in request.Headers.NonValidated)
            {
                if (name != Header)
                {
                    message.Headers.TryAddWithoutValidation(name, values);
                }
            }

            message.Options.Set(Repeatable.ReadsOnly, true);
            var sent = await upstream.SendRaw(message, call with { Cancellation = cancellationToken });
            if (sent.Response is not { } response)
            {
                throw new HttpRequestException(sent.Outcome.ToString());
            }

            response.Content = new ReadOnlyMemoryContent(sent.Body!.Memory)
            {
                Headers = { ContentType = response.Content.Headers.ContentType },
            };
            return response;
        }
    }
}
