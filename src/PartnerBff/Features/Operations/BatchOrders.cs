using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Bff.Concurrency;
using Bff.Edge;
using Bff.Idempotency;
using Bff.RateLimiting;
using Bff.Requests;
using PartnerBff.Upstreams;

namespace PartnerBff.Features.Operations;

/// <summary>
/// Places up to a hundred orders: 1. the whole request is read and charged, one unit per order; 2. at most <see cref="Concurrency"/> orders
/// are sent to the service at a time; 3. each order's idempotency key is that of the batch with its index, so a repeat after an
/// interruption returns the finished orders' answers and sends the others;
/// 4. the batch counts as answered once no order is left that a repeat might still place.
/// </summary>
internal static class BatchOrders
{
    private const int Concurrency = 8;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LongestItem = TimeSpan.FromSeconds(5);

    public static async Task<IResult> Place<T>(
        HttpContext context,
        IOrders orders,
        Idempotent idempotent,
        RateLimiter limiter,
        TimeProvider time,
        Func<Order, T> shape,
        JsonTypeInfo<BatchAnswer<T>> type
    )
    {
        var body = await JsonBody.Read(context, PartnerJson.Default.BatchRequest, context.RequestAborted);
        if (!body.TryGet(out var batch, out var problem))
        {
            return problem;
        }

        if (batch.Orders.Count is 0 or > BatchRequest.MaxOrders || batch.Orders.Any(o => o is null))
        {
            return Problem.Invalid("orders", $"Must have 1 to {BatchRequest.MaxOrders} orders.");
        }

        if (await limiter.Charge(context, batch.Orders.Count) is { } tooMany)
        {
            return tooMany;
        }

        var request = KeyedRequest.Of(context)!;
        var results = new BatchResult<T>[batch.Orders.Count];
        var deadline = Deadline.In(Longest, time);
        using var late = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        using var timer = time.CreateTimer(
            static source => ((CancellationTokenSource)source!).Cancel(),
            late,
            Longest,
            Timeout.InfiniteTimeSpan
        );
        await Parallel.ForAsync(
            0,
            results.Length,
            new ParallelOptions { MaxDegreeOfParallelism = Concurrency, CancellationToken = context.RequestAborted },
            async (index, _) =>
            {
                var item = new Item(context, batch.Orders[index], index, deadline, late.Token);
                var answer = await PlaceOne(item, request, orders, idempotent, time);
                results[index] = Result(item, answer, shape);
            }
        );
        request.IsFinal = results.All(r => r.Status is < 300 or 400 or 404 or 410 or 422);
        var succeeded = results.Count(r => r.Error is null);
        return TypedResults.Json(
            new BatchAnswer<T>(results, succeeded, results.Length - succeeded),
            type,
            statusCode: StatusCodes.Status207MultiStatus
        );
    }

    private static async Task<StoredAnswer> PlaceOne(
        Item item,
        KeyedRequest request,
        IOrders orders,
        Idempotent idempotent,
        TimeProvider time
    )
    {
        if (item.Order.Objection() is { } objection)
        {
            return Failed(item, objection);
        }

        if (item.Cancellation.IsCancellationRequested)
        {
            item.Context.RequestAborted.ThrowIfCancellationRequested();
            return Failed(item, new Problem(ProblemCodes.UpstreamTimeout));
        }

        try
        {
            var content = JsonSerializer.SerializeToUtf8Bytes(item.Order, PartnerJson.Default.OrderRequest);
            var name = item.Index.ToString(CultureInfo.InvariantCulture);
            var (answer, problem) = await idempotent.RunItem(
                request,
                name,
                content,
                async key =>
                {
                    var left = item.Deadline.Left(time);
                    var placed = await orders
                        .Place(item.Order.ToUpstream(), key)
                        .For(BffRequest.Of(item.Context), left < LongestItem ? left : LongestItem, item.Cancellation);
                    return placed.IsOk
                        ? new StoredAnswer(
                            StatusCodes.Status201Created,
                            [],
                            JsonSerializer.SerializeToUtf8Bytes(placed.Value, UpstreamJson.Default.Order)
                        )
                        : Failed(item, placed.ToWriteProblem(null));
                }
            );
            return answer ?? Failed(item, problem!);
        }
        catch (Exception refused) when (ExceptionProblem.Of(refused) is { } problem)
        {
            return Failed(item, problem);
        }
        catch (OperationCanceledException) when (!item.Context.RequestAborted.IsCancellationRequested)
        {
            return Failed(item, new Problem(ProblemCodes.UpstreamTimeout));
        }
    }

    private static BatchResult<T> Result<T>(Item item, StoredAnswer answer, Func<Order, T> shape)
    {
        if (answer.Status < 300)
        {
            var order = JsonSerializer.Deserialize(answer.Body, UpstreamJson.Default.Order)!;
            return new(item.Index, item.Order.Reference, answer.Status, shape(order), null);
        }

        var error = JsonSerializer.Deserialize(answer.Body, PartnerJson.Default.ItemError)!;
        return new(item.Index, item.Order.Reference, answer.Status, default, error);
    }

    private static StoredAnswer Failed(Item item, Problem problem) =>
        new(
            problem.Code.Status,
            [],
            JsonSerializer.SerializeToUtf8Bytes(ItemError.Of(problem, item.Context), PartnerJson.Default.ItemError)
        );

    private sealed record Item(HttpContext Context, OrderRequest Order, int Index, Deadline Deadline, CancellationToken Cancellation);
}
