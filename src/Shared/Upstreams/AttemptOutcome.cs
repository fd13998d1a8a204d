namespace Bff.Upstreams;

/// <summary>
/// Ends of an attempt. The table in docs/life-of-a-request.md says what each means for the caller, the breaker, the budget and the address.
/// </summary>
internal enum AttemptEnd
{
    /// <summary>The service answered, and the answer reports no failure of the service.</summary>
    Good,

    /// <summary>The service answered that it failed, or the connection broke.</summary>
    Failed,

    /// <summary>The service did not answer in time.</summary>
    TimedOut,

    /// <summary>The caller no longer waits. It says nothing of the service.</summary>
    Abandoned,

    /// <summary>
    /// The connection broke after the sender of the body had kept the service waiting. It says nothing certain of the service.
    /// </summary>
    HungUpOn,

    /// <summary>The attempt beside it ended the call first. It says nothing of the service.</summary>
    Lost,
}

/// <summary>The outcome of one attempt.</summary>
/// <param name="Response">The answer, good or bad; null when no complete answer came.</param>
/// <param name="End">How the attempt ended.</param>
/// <param name="Body">The answer's body when it was read whole; otherwise null.</param>
internal readonly record struct AttemptOutcome(HttpResponseMessage? Response, AttemptEnd End, BufferedBody? Body = null) : IDisposable
{
    /// <summary>Whether a further attempt may help. The breaker counts such an outcome as a failure.</summary>
    public bool IsFailure => End is AttemptEnd.Failed or AttemptEnd.TimedOut;

    /// <summary>Result for the breaker: success, failure, or null when the end says nothing of the service.</summary>
    public bool? IsGood =>
        End == AttemptEnd.Good ? true
        : IsFailure ? false
        : null;

    /// <summary>Whether an HTTP or gRPC answer reports a failure of the service, not of the request.</summary>
    /// <remarks>
    /// 501, 505 and 511 (a method, a version or a network sign-in) are not failures: the service is healthy, and would answer the same
    /// again.
    /// </remarks>
    /// <param name="response">The answer.</param>
    /// <param name="isWhole">Whether the body was read to its end; if not, it is streamed.</param>
    public static bool IsBad(HttpResponseMessage response, bool isWhole) =>
        (int)response.StatusCode is >= 500 and not (501 or 505 or 511) || GrpcStatus.IsFailure(response, isWhole);

    public void Dispose()
    {
        Response?.Dispose();
        Body?.Dispose();
    }
}
