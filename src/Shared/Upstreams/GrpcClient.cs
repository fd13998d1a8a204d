using System.Text.Json.Serialization.Metadata;
using Grpc.Core;

namespace Bff.Upstreams;

/// <summary>
/// Makes unary gRPC calls that only read, with a client that <c>Grpc.Tools</c> generates and <c>Grpc.Net.ClientFactory</c> creates. The
/// requests go through the same path as all other calls (<see cref="GrpcSender"/>), with the upstream's identity headers, resilience and
/// limits.
/// </summary>
/// <typeparam name="TClient">The generated client.</typeparam>
/// <param name="client">The generated client.</param>
/// <param name="time">The upstream's clock.</param>
public sealed class GrpcClient<TClient>(TClient client, TimeProvider time)
    where TClient : class
{
    /// <summary>Declares a call of a method that changes nothing; it may be repeated.</summary>
    /// <param name="method">Calls the client's method; deadline and cancellation come from the call.</param>
    /// <param name="read">Reads the value from the message; returns null for an invalid one.</param>
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

    /// <summary>Makes the call and returns its message.</summary>
    /// <exception cref="OperationCanceledException">The caller no longer waits.</exception>
    internal async ValueTask<UpstreamAnswer<TMessage>> Make<TMessage>(Func<TClient, AsyncUnaryCall<TMessage>> method, CallContext call)
    {
        var exchange = GrpcExchange.Begin(call); // Set only within this method; the caller's execution context does not change.
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
