namespace Bff.Upstreams;

/// <summary>
/// How an attempt ended. What each end means to the caller, the breaker, the budget and the address is the table of
/// docs/life-of-a-request.md.
/// </summary>
internal enum AttemptEnd
{
    /// <summary>The service answered, and its answer does not speak of its own trouble.</summary>
    Good,

    /// <summary>The service answered with its own trouble, or the connection broke.</summary>
    Failed,

    /// <summary>The service did not answer in time.</summary>
    TimedOut,

    /// <summary>The caller no longer waits. It says nothing of the service.</summary>
    Abandoned,

    /// <summary>
    /// The connection broke after the sender of the body had kept the service waiting. It says nothing certain of the service.
    /// </summary>
    HungUpOn,

    /// <summary>The attempt beside it was there first. It says nothing of the service.</summary>
    Lost,
}

/// <summary>What came of one attempt.</summary>
/// <param name="Response">The answer, good or bad; null where none came whole.</param>
/// <param name="End">What it means.</param>
/// <param name="Body">The answer's, where it was read whole.</param>
internal readonly record struct AttemptOutcome(HttpResponseMessage? Response, AttemptEnd End, BufferedBody? Body = null) : IDisposable
{
    /// <summary>Whether a further attempt may do better, and the breaker counts it against the service.</summary>
    public bool IsFailure => End is AttemptEnd.Failed or AttemptEnd.TimedOut;

    /// <summary>What the breaker is told.</summary>
    public bool? IsGood =>
        End == AttemptEnd.Good ? true
        : IsFailure ? false
        : null;

    /// <summary>An HTTP or gRPC answer that speaks of the upstream's health, not of the request.</summary>
    /// <remarks>A method, a version or a network sign-in that it does not offer (501, 505, 511) will be no other a moment later, and is no
    /// illness.</remarks>
    /// <param name="response">The answer.</param>
    /// <param name="isWhole">Whether it was read to its end; else it is passed on.</param>
    public static bool IsBad(HttpResponseMessage response, bool isWhole) =>
        (int)response.StatusCode is >= 500 and not (501 or 505 or 511) || GrpcStatus.IsFailure(response, isWhole);

    public void Dispose()
    {
        Response?.Dispose();
        Body?.Dispose();
    }
}
