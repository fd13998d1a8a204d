using Bff.Upstreams;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Bff.Shared.Tests.Upstreams;

/// <summary>
/// Calls the sample catalogue over gRPC. Only the first field of request and answer is used, which is a text.
/// </summary>
internal static class CatalogCalls
{
    public static readonly Method<StringValue, StringValue> GetProduct = new(
        MethodType.Unary,
        "catalog.v1.ProductCatalog",
        "GetProduct",
        Marshallers.Create(message => message.ToByteArray(), StringValue.Parser.ParseFrom),
        Marshallers.Create(message => message.ToByteArray(), StringValue.Parser.ParseFrom)
    );

    /// <summary>Reads a product and returns its id.</summary>
    public static async Task<UpstreamAnswer<string>> Product(this UpstreamBench bench, string upstream, string id, CallContext? call = null)
    {
        using var channel = GrpcSender.Open(bench.Client(upstream));
        var client = new GrpcClient<CallInvoker>(channel.CreateCallInvoker(), TimeProvider.System);
        var answer = await client.Make(
            invoker => invoker.AsyncUnaryCall(GetProduct, null, default, new StringValue { Value = id }),
            call ?? bench.Call()
        );
        return answer.Map(message => message.Value);
    }
}
