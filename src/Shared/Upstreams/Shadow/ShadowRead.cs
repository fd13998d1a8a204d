namespace Bff.Upstreams.Shadow;

/// <summary>The service's answer, as far as it is compared.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Json">A copy of the body; null if it was streamed, is too large, or is not JSON.</param>
internal sealed record RealAnswer(int Status, byte[]? Json);

/// <summary>A copy of one read, from its creation until both answers have arrived.</summary>
/// <param name="request">The copied request.</param>
/// <param name="endpoint">The gateway's endpoint, for the metric.</param>
internal sealed class ShadowRead(HttpRequestMessage request, string endpoint)
{
    /// <summary>Maximum size of compared bodies; for larger ones only the status is compared.</summary>
    internal const int MostBytes = 256 * 1024;

    // Asynchronous, so that the comparison does not run on the thread that served the client.
    private readonly TaskCompletionSource<RealAnswer?> _real = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public HttpRequestMessage Request => request;

    public string Endpoint => endpoint;

    /// <summary>The service's answer; null if there is none.</summary>
    public Task<RealAnswer?> Real => _real.Task;

    /// <summary>Sets the service's answer when the call has ended.</summary>
    /// <param name="sent">The result of the call; the default if it was cancelled.</param>
    /// <param name="compares">Whether a copy of the body is needed.</param>
    public void Answered(in Sent sent, bool compares) => _real.TrySetResult(compares ? Of(sent) : null);

    private static RealAnswer? Of(in Sent sent)
    {
        if (sent.Response is not { } response)
        {
            return null;
        }

        var json =
            sent.Body is { Memory: { Length: > 0 and <= MostBytes } whole } && AnswerType.IsJson(response.Content) ? whole.ToArray() : null;
        return new((int)response.StatusCode, json);
    }
}
