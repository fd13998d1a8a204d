using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Bff.Edge;
using Bff.Idempotency;
using Bff.Requests;
using Bff.Upstreams;

namespace MobileBff.Features.Sync;

/// <summary>Endpoint metadata: <c>POST /sync</c> does the endpoint's work for operations of this type.</summary>
internal sealed record OperationKind(string Type, Func<OperationCall, Task<StoredAnswer>> Run);

internal static class OperationKindExtensions
{
    /// <summary>What the endpoint does an app may also have done while it was offline.</summary>
    public static RouteHandlerBuilder WithOperation(
        this RouteHandlerBuilder endpoint,
        string type,
        Func<OperationCall, Task<StoredAnswer>> run
    ) => endpoint.WithMetadata(new OperationKind(type, run));
}

/// <summary>One operation while it is served.</summary>
internal sealed record OperationCall(HttpContext Context, Caller Caller, string Id, WrittenJson Body, TimeSpan Timeout)
{
    public T Service<T>()
        where T : notnull => Context.RequestServices.GetRequiredService<T>();

    /// <summary>Makes the call within the operation's time.</summary>
    public ValueTask<UpstreamAnswer<T>> Make<T>(UpstreamWrite<T> call) => call.For(BffRequest.Of(Context), Timeout, Context.RequestAborted);

    /// <summary>The service's answer as the app gets it; a refusal as the problem that it is.</summary>
    public StoredAnswer Answer<T, TResult>(UpstreamAnswer<T> answer, int status, Func<T, TResult> shape, JsonTypeInfo<TResult> type) =>
        answer.IsOk ? new(status, [], JsonSerializer.SerializeToUtf8Bytes(shape(answer.Value), type)) : Answer(answer.ToWriteProblem(null));

    /// <summary>The same where there is nothing to tell.</summary>
    public StoredAnswer Answer(UpstreamAnswer<NoContent> answer) =>
        answer.IsOk ? new(StatusCodes.Status204NoContent, [], []) : Answer(answer.ToWriteProblem(null));

    /// <summary>The problem as an item of the request shows it.</summary>
    public StoredAnswer Answer(Problem problem) =>
        new(problem.Code.Status, [], JsonSerializer.SerializeToUtf8Bytes(ItemError.Of(problem, Context), MobileJson.Answers.ItemError));
}
