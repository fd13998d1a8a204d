using System.Collections.Frozen;
using System.Text;
using System.Text.Json;
using Bff.Callers;
using Bff.Concurrency;
using Bff.Edge;
using Bff.Idempotency;
using Bff.RateLimiting;
using Bff.Upstreams;

namespace MobileBff.Features.Sync;

/// <summary>
/// Does what an app did while it was offline, one operation after the other: 1. what it depends on has succeeded; 2. its own endpoint admits the caller;
/// 3. it is served once under its id, and every repeat gets that answer; 4. what is not begun within <see cref="Longest"/> is left for a repeat.
/// </summary>
internal sealed class Operations(EndpointDataSource endpoints, Idempotent idempotent, RateLimiter limiter, TimeProvider time)
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestEach = TimeSpan.FromSeconds(5);

    private readonly Lazy<FrozenDictionary<string, (OperationKind Kind, RouteEndpoint Endpoint)>> _kinds = new(() => endpoints.Endpoints.OfType<RouteEndpoint>()
        .SelectMany(e => e.Metadata.GetOrderedMetadata<OperationKind>().Select(kind => (Kind: kind, Endpoint: e)))
        .ToFrozenDictionary(o => o.Kind.Type, StringComparer.Ordinal));

    public bool IsType(string type) => _kinds.Value.ContainsKey(type);

    /// <exception cref="OperationCanceledException">The client has gone.</exception>
    public async Task<OperationResult[]> Run(HttpContext context, Caller caller, IReadOnlyList<OfflineOperation> operations)
    {
        var deadline = time.TimestampIn(Longest);
        var results = new OperationResult[operations.Count];
        var failed = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < results.Length; i++)
        {
            context.RequestAborted.ThrowIfCancellationRequested();
            var operation = operations[i];
            var answer = operation.After?.Any(failed.Contains) == true
                ? Failed(context, new Problem(ProblemCodes.DependencyFailed))
                : await RunOne(context, caller, operation, time.GetElapsedTime(time.GetTimestamp(), deadline));
            results[i] = Result(i, operation.Id, answer);
            if (results[i].Error is not null)
            {
                failed.Add(operation.Id);
            }
        }

        return results;
    }

    private async Task<StoredAnswer> RunOne(HttpContext context, Caller caller, OfflineOperation operation, TimeSpan left)
    {
        var (kind, endpoint) = _kinds.Value[operation.Type];
        if (left <= TimeSpan.Zero)
        {
            return Failed(context, new Problem(ProblemCodes.UpstreamTimeout));
        }

        if (limiter.RefusalOf(context, endpoint) is { } refusal)
        {
            return Failed(context, refusal);
        }

        try
        {
            var body = JsonSerializer.SerializeToUtf8Bytes(operation.Body, MobileJson.Default.JsonElement);
            var call = new OperationCall(context, caller, operation.Id, new WrittenJson(body), left < LongestEach ? left : LongestEach);
            var (answer, problem) = await idempotent.RunOperation(
                caller, operation.Id, (byte[])[.. Encoding.UTF8.GetBytes(operation.Type), 0, .. body], () => kind.Run(call));
            return answer ?? Failed(context, problem!);
        }
        catch (ProblemException refused)
        {
            return Failed(context, refused.Problem); // The store may be away, too: it was not sent then, and what came before has its answer.
        }
    }

    private static OperationResult Result(int index, string id, StoredAnswer answer) => answer switch
    {
        { Status: >= 400 } => new(index, id, answer.Status, Error: JsonSerializer.Deserialize(answer.Body, MobileJson.Default.ItemError)),
        { Body.Length: 0 } => new(index, id, answer.Status),
        _ => new(index, id, answer.Status, Result: JsonSerializer.Deserialize(answer.Body, MobileJson.Default.JsonElement)),
    };

    private static StoredAnswer Failed(HttpContext context, Problem problem) =>
        new(problem.Code.Status, [], JsonSerializer.SerializeToUtf8Bytes(ItemError.Of(problem, context), MobileJson.Default.ItemError));
}
