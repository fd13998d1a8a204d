using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Bff.Edge;
using Bff.Idempotency;
using Bff.Requests;
using Bff.Upstreams;

namespace MobileBff.Features.Sync;

/// <summary>Endpoint metadata: lets <c>POST /sync</c> do the endpoint's work for operations of a type.</summary>
internal sealed record OperationKind(string Type, Func<OperationCall, Task<StoredAnswer>> Run);

internal static class OperationKindExtensions
{
    /// <summary>Makes the endpoint available to operations from offline use.</summary>
    public static RouteHandlerBuilder WithOperation(
        this RouteHandlerBuilder endpoint,
        string type,
        Func<OperationCall, Task<StoredAnswer>> run
    ) => endpoint.WithMetadata(new OperationKind(type, run));
}

/// <summary>One operation while it runs.</summary>
internal sealed record OperationCall(HttpContext Context, Caller Caller, string Id, WrittenJson Body, TimeSpan Timeout)
{
    public T Service<T>()
        where T : notnull => Context.RequestServices.GetRequiredService<T>();

    /// <summary>Makes the call within the operation's time limit.</summary>
    public ValueTask<UpstreamAnswer<T>> Make<T>(UpstreamWrite<T> call) => call.For(BffRequest.Of(Context), Timeout, Context.RequestAborted);

    /// <summary>Converts the service's answer into the app's; a refusal becomes its problem.</summary>
    public StoredAnswer Answer<T, TResult>(UpstreamAnswer<T> answer, int status, Func<T, TResult> shape, JsonTypeInfo<TResult> type) =>
        answer.IsOk ? new(status, [], JsonSerializer.SerializeToUtf8Bytes(shape(answer.Value), type)) : Answer(answer.ToWriteProblem(null));

    /// <summary>Converts an answer without a document.</summary>
    public StoredAnswer Answer(UpstreamAnswer<NoContent> answer) =>
        answer.IsOk ? new(StatusCodes.Status204NoContent, [], []) : Answer(answer.ToWriteProblem(null));

    /// <summary>Converts a problem into the error of one item.</summary>
    public StoredAnswer Answer(Problem problem) =>
        new(problem.Code.Status, [], JsonSerializer.SerializeToUtf8Bytes(ItemError.Of(problem, Context), MobileJson.Answers.ItemError));
}
