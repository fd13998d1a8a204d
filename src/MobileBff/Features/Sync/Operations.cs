using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using Bff.Concurrency;
using Bff.Edge;
using Bff.Idempotency;
using Bff.RateLimiting;
using Bff.Requests;
using Bff.Upstreams;

namespace MobileBff.Features.Sync;

/// <summary>
/// Runs the operations from offline use, one after another: 1. the operations that it depends on must have succeeded; 2. its own endpoint
/// must admit the caller;
/// 3. it runs once under its id, and every repeat gets the same answer; 4. what has not started within <see cref="Longest"/> is left for a
/// repeat.
/// </summary>
internal sealed class Operations(EndpointDataSource endpoints, Idempotent idempotent, RateLimiter limiter, TimeProvider time)
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestEach = TimeSpan.FromSeconds(5);

    private readonly Lazy<FrozenDictionary<string, (OperationKind Kind, RouteEndpoint Endpoint)>> _kinds = new(() =>
        endpoints
            .Endpoints.OfType<RouteEndpoint>()
            .SelectMany(e => e.Metadata.GetOrderedMetadata<OperationKind>().Select(kind => (Kind: kind, Endpoint: e)))
            .ToFrozenDictionary(o => o.Kind.Type, StringComparer.Ordinal)
    );

    public bool IsType(string type) => _kinds.Value.ContainsKey(type);

    /// <exception cref="OperationCanceledException">The client has disconnected.</exception>
    public async Task<OperationResult[]> Run(HttpContext context, Caller caller, IReadOnlyList<OfflineOperation> operations)
    {
        var deadline = Deadline.In(Longest, time);
        var results = new OperationResult[operations.Count];
        var failed = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < results.Length; i++)
        {
            context.RequestAborted.ThrowIfCancellationRequested();
            var operation = operations[i];
            var left = deadline.Left(time);
            var body = new WrittenJson(JsonSerializer.SerializeToUtf8Bytes(operation.Body, MobileJson.Default.JsonElement));
            var call = new OperationCall(context, caller, operation.Id, body, left < LongestEach ? left : LongestEach);
            var answer =
                operation.After?.Any(failed.Contains) == true
                    ? call.Answer(new Problem(ProblemCodes.DependencyFailed))
                    : await RunOne(call, operation.Type);
            results[i] = Result(i, operation.Id, answer);
            if (results[i].Error is not null)
            {
                failed.Add(operation.Id);
            }
        }

        return results;
    }

    private async Task<StoredAnswer> RunOne(OperationCall call, string type)
    {
        var (kind, endpoint) = _kinds.Value[type];
        if (call.Timeout <= TimeSpan.Zero)
        {
            return call.Answer(new Problem(ProblemCodes.UpstreamTimeout));
        }

        if (limiter.RefusalOf(call.Context, endpoint) is { } refusal)
        {
            return call.Answer(refusal);
        }

        try
        {
            var (answer, problem) = await idempotent.RunOperation(
                call.Caller,
                call.Id,
                (byte[])[.. Encoding.UTF8.GetBytes(type), 0, .. call.Body.Utf8.Span],
                () => kind.Run(call)
            );
            return answer ?? call.Answer(problem!);
        }
        catch (Exception refused) when (ExceptionProblem.Of(refused) is { } problem)
        {
            return call.Answer(problem); // Includes an unavailable store: this operation was not sent; earlier ones have their answers.
        }
    }

    private static OperationResult Result(int index, string id, StoredAnswer answer) =>
        answer switch
        {
            { Status: >= 400 } => new(
                index,
                id,
                answer.Status,
                Error: JsonSerializer.Deserialize(answer.Body, MobileJson.Default.ItemError)
            ),
            { Body.Length: 0 } => new(index, id, answer.Status),
            _ => new(index, id, answer.Status, Result: JsonSerializer.Deserialize(answer.Body, MobileJson.Default.JsonElement)),
        };
}
