using System.Collections.Concurrent;
using System.Globalization;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.TestKit.Calls;

/// <summary>A call as the service received it.</summary>
public sealed class TalkCall(ServerCallContext context)
{
    private readonly TaskCompletionSource<bool> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Method { get; } = context.Method;

    public Metadata Headers { get; } = context.RequestHeaders;

    /// <summary>Time until the deadline when the call started; null if the client set none.</summary>
    public TimeSpan? Left { get; } = context.Deadline == DateTime.MaxValue ? null : context.Deadline - DateTime.UtcNow;

    /// <summary>Completes when the service is done with the call; true if the caller had disconnected by then.</summary>
    public Task<bool> Ended => _ended.Task;

    internal void End(bool cancelled) => _ended.TrySetResult(cancelled);
}

/// <summary>
/// A real gRPC service that follows instructions: <c>status N</c> fails with that status, <c>hang</c> sends nothing until the caller
/// disconnects, <c>silent</c> sends only its head, <c>reset</c> breaks off. It repeats any other text, as often as requested.
/// </summary>
public sealed class TalkService(ConcurrentQueue<TalkCall> calls) : Talk.TalkBase
{
    public override Task<Said> Once(Said request, ServerCallContext context) =>
        Note(
            context,
            async () =>
            {
                await Obey(request.Text, context);
                await context.WriteResponseHeadersAsync([new("x-answer", "yes"), new("answer-bin", [1, 2, 255])]);
                context.ResponseTrailers.Add("end-bin", [9, 8, 7]);
                context.ResponseTrailers.Add("x-request-id", "the service's");
                return request;
            }
        );

    public override Task Listen(Said request, IServerStreamWriter<Said> responseStream, ServerCallContext context) =>
        Note(
            context,
            async () =>
            {
                for (var i = 0; i < request.Times; i++)
                {
                    await responseStream.WriteAsync(
                        new()
                        {
                            Text = request.Text,
                            Times = i,
                            Data = request.Data,
                        },
                        context.CancellationToken
                    );
                }

                await Obey(request.Text, context);
                return request;
            }
        );

    public override Task<Said> Gather(IAsyncStreamReader<Said> requestStream, ServerCallContext context) =>
        Note(
            context,
            async () =>
            {
                var (count, bytes) = (0, 0L);
                await foreach (var said in requestStream.ReadAllAsync(context.CancellationToken))
                {
                    count++;
                    bytes += said.Data.Length;
                    await Obey(said.Text, context);
                }

                return new Said { Text = bytes.ToString(CultureInfo.InvariantCulture), Times = count };
            }
        );

    public override Task Chat(
        IAsyncStreamReader<Said> requestStream,
        IServerStreamWriter<Said> responseStream,
        ServerCallContext context
    ) =>
        Note(
            context,
            async () =>
            {
                await foreach (var said in requestStream.ReadAllAsync(context.CancellationToken))
                {
                    await Obey(said.Text, context);
                    await responseStream.WriteAsync(said, context.CancellationToken);
                }

                return new Said();
            }
        );

    private static async Task Obey(string told, ServerCallContext context)
    {
        switch (told.Split(' '))
        {
            case ["status", var status]:
                Metadata trailers = [new("reason-bin", [1, 2, 3])];
                throw new RpcException(
                    new Status((StatusCode)int.Parse(status, CultureInfo.InvariantCulture), "as told: 100 % ü"),
                    trailers
                );
            case ["hang"]:
                await Task.Delay(Timeout.Infinite, context.CancellationToken);
                break;
            case ["silent"]:
                if (!context.GetHttpContext().Response.HasStarted)
                {
                    await context.WriteResponseHeadersAsync([]);
                }

                await Task.Delay(Timeout.Infinite, context.CancellationToken);
                break;
            case ["reset"]:
                context.GetHttpContext().Abort();
                break;
            default:
                break;
        }
    }

    private async Task<Said> Note(ServerCallContext context, Func<Task<Said>> answer)
    {
        var call = new TalkCall(context);
        calls.Enqueue(call);
        try
        {
            return await answer();
        }
        finally
        {
            call.End(context.CancellationToken.IsCancellationRequested);
        }
    }
}

/// <summary>Hosts the service on a port of its own, over HTTP/2 with prior knowledge.</summary>
public sealed class TalkHost : IAsyncDisposable
{
    private readonly TestHost _host;

    private TalkHost(TestHost host) => _host = host;

    public ConcurrentQueue<TalkCall> Calls { get; private init; } = new();

    public Uri Address => _host.Address;

    public static async Task<TalkHost> Start()
    {
        var calls = new ConcurrentQueue<TalkCall>();
        var host = await TestHost.Start(
            builder =>
            {
                builder.Services.AddSingleton(calls);
                builder.Services.AddGrpc(grpc => (grpc.MaxReceiveMessageSize, grpc.MaxSendMessageSize) = (null, null));
            },
            app => app.MapGrpcService<TalkService>(),
            new Dictionary<string, string?> { ["Kestrel:Endpoints:Http:Protocols"] = "Http2" }
        );
        return new(host) { Calls = calls };
    }

    /// <summary>The latest call.</summary>
    public TalkCall Last() => Calls.Last();

    public ValueTask DisposeAsync() => _host.DisposeAsync();
}
