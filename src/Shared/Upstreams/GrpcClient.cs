using System.Text.Json.Serialization.Metadata;
using Grpc.Core;

namespace Bff.Upstreams;

/// <summary>
/// Unary gRPC calls that read, by a client that <c>Grpc.Tools</c> generates and <c>Grpc.Net.ClientFactory</c> makes. What the package
/// writes goes the way of every other call (<see cref="GrpcSender"/>): identity, resilience and limits are those of the upstream.
/// </summary>
/// <typeparam name="TClient">The generated client.</typeparam>
/// <param name="client">Makes the calls.</param>
/// <param name="time">The clock of the upstream.</param>
public sealed class GrpcClient<TClient>(TClient client, TimeProvider time)
    where TClient : class
{
    /// <summary>Calls a method that changes nothing; it may be repeated.</summary>
    /// <param name="method">Calls the client's method with its message; time and cancellation are those of the call.</param>
    /// <param name="read">Makes the value of the answer's message; null of one that cannot be right.</param>
    /// <param name="type">Source-generated metadata of the value.</param>
    public UpstreamCall<TValue> Read<TMessage, TValue>(
        Func<TClient, AsyncUnaryCall<TMessage>> method,
        Func<TMessage, TValue?> read,
        JsonTypeInfo<TValue> type
    )
        where TValue : class =>
        new HandMadeCall<TValue>(
            async call =>
            {
                var answer = await Make(method, call);
                return !answer.IsOk ? answer.As<TValue>()
                    : read(answer.Value) is { } value ? answer.Map(_ => value)
                    : UpstreamAnswer<TValue>.No(UpstreamOutcome.Failed, answer.Status);
            },
            type,
            time
        );

    /// <summary>Makes the call and gives its message.</summary>
    /// <exception cref="OperationCanceledException">The caller no longer waits.</exception>
    internal async ValueTask<UpstreamAnswer<TMessage>> Make<TMessage>(Func<TClient, AsyncUnaryCall<TMessage>> method, CallContext call)
    {
        var exchange = GrpcExchange.Begin(call); // For the calls of this method alone: the caller's context stays as it was.
        try
        {
            using var made = method(client);
            return UpstreamAnswer<TMessage>.Ok(await made.ResponseAsync) with { FromFallback = exchange.FromFallback };
        }
        catch (RpcException failed)
        {
            call.Cancellation.ThrowIfCancellationRequested();
            return exchange.Failed<TMessage>(failed);
        }
    }
}
