using System.Text.Json.Serialization.Metadata;

namespace Bff.Upstreams;

/// <summary>Makes batch calls for more ids than the service accepts at once.</summary>
public static class Batch
{
    private const int AtOnce = 4;
    private const int LongestAddress = 2000;

    /// <summary>
    /// Combines several calls into one: one part, one status, one value. Each has at most <paramref name="most"/> ids, and fewer if they
    /// are long, so that the address stays within the limits of all servers. At most four calls run at a time. The first failure is the
    /// failure of the whole; the other calls are cancelled.
    /// </summary>
    /// <param name="ids">The ids, in order; duplicates are removed.</param>
    /// <param name="most">Maximum number of ids that the service accepts at once.</param>
    /// <param name="ask">Builds the call for some of the ids.</param>
    /// <param name="join">Combines the values of the calls, which are in the order of the ids.</param>
    /// <param name="type">Source-generated metadata of the value; required if the value is cached.</param>
    public static UpstreamCall<TAll> Of<T, TAll>(
        IEnumerable<string> ids,
        int most,
        Func<IReadOnlyList<string>, UpstreamCall<T>> ask,
        Func<IReadOnlyList<T>, TAll> join,
        JsonTypeInfo<TAll>? type = null
    )
    {
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        var calls = Pieces(ids.Distinct(StringComparer.Ordinal), most).Select(ask).ToList();
        return calls.Count == 1 ? calls[0].As(value => join([value]), type) : new BatchCall<T, TAll>(calls, AtOnce, join, type);
    }

    private static IEnumerable<List<string>> Pieces(IEnumerable<string> ids, int most)
    {
        var (piece, length) = (new List<string>(), 0);
        foreach (var id in ids)
        {
            var escaped = Uri.EscapeDataString(id).Length + 3; // Includes the comma, which may be escaped too.
            if (piece.Count == most || (piece.Count > 0 && length + escaped > LongestAddress))
            {
                yield return piece;
                (piece, length) = ([], 0);
            }

            piece.Add(id);
            length += escaped;
        }

        if (piece.Count > 0)
        {
            yield return piece;
        }
    }
}

/// <summary>Makes calls a few at a time, and ends with the first failure.</summary>
internal sealed class BatchCall<T, TAll>(
    IReadOnlyList<UpstreamCall<T>> calls,
    int atOnce,
    Func<IReadOnlyList<T>, TAll> join,
    JsonTypeInfo<TAll>? type
) : UpstreamCall<TAll>
{
    internal override JsonTypeInfo<TAll> Type =>
        type ?? throw new InvalidOperationException($"A part that is kept needs the metadata of {typeof(TAll).Name}.");

    internal override TimeProvider Time => calls.Count > 0 ? calls[0].Time : TimeProvider.System;

    internal override async ValueTask<UpstreamAnswer<TAll>> Make(CallContext context)
    {
        var answers = new UpstreamAnswer<T>[calls.Count];
        using var failed = CancellationTokenSource.CreateLinkedTokenSource(context.Cancellation);
        var failure = -1; // Index of the first failed call.
        try
        {
            await Parallel.ForAsync(
                0,
                calls.Count,
                new ParallelOptions { MaxDegreeOfParallelism = atOnce, CancellationToken = failed.Token },
                async (at, cancellation) =>
                {
                    answers[at] = await calls[at].Make(context with { Cancellation = cancellation });
                    if (!answers[at].IsOk)
                    {
                        Interlocked.CompareExchange(ref failure, at, -1);
                        await failed.CancelAsync();
                    }
                }
            );
        }
        catch (OperationCanceledException) when (failure >= 0 && !context.Cancellation.IsCancellationRequested)
        {
            // Another call failed, so this one is no longer needed.
        }

        if (failure >= 0)
        {
            return answers[failure].As<TAll>();
        }

        var isFromFallback = answers.Any(a => a.FromFallback);
        return UpstreamAnswer<TAll>.Ok(join([.. answers.Select(a => a.Value!)])) with { FromFallback = isFromFallback };
    }
}
