using System.Text.Json.Serialization.Metadata;

namespace Bff.Upstreams;

/// <summary>A batch call over more ids than the service takes at once.</summary>
public static class Batch
{
    private const int AtOnce = 4;
    private const int LongestAddress = 2000;

    /// <summary>
    /// Several calls that are one: one part, one status, one value. Each has at most <paramref name="most"/> ids, and fewer where they are
    /// long, so that an address stays within what every server takes; four are with the service at a time. The first that fails is the
    /// whole's failure; the others are not waited for.
    /// </summary>
    /// <param name="ids">What is asked for, in this order; more than once is once.</param>
    /// <param name="most">How many the service takes at once.</param>
    /// <param name="ask">The call for some of them.</param>
    /// <param name="join">Makes one value of those of the calls, which are in the order of the ids.</param>
    /// <param name="type">Source-generated metadata of the value; needed where it is kept.</param>
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
            var escaped = Uri.EscapeDataString(id).Length + 3; // With its comma, which may be escaped too.
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

/// <summary>Calls that are made a few at a time, and end with the first failure.</summary>
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
        var failure = -1; // Where the first one is.
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
            // The others are no longer needed.
        }

        if (failure >= 0)
        {
            return answers[failure].As<TAll>();
        }

        var isFromFallback = answers.Any(a => a.FromFallback);
        return UpstreamAnswer<TAll>.Ok(join([.. answers.Select(a => a.Value!)])) with { FromFallback = isFromFallback };
    }
}
