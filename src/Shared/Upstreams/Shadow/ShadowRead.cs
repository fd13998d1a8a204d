namespace Bff.Upstreams.Shadow;

/// <summary>What the service answered, as far as it is compared.</summary>
/// <param name="Status">Its status.</param>
/// <param name="Json">A copy of its body; null where it was passed on, is too large, or is no JSON.</param>
internal sealed record RealAnswer(int Status, byte[]? Json);

/// <summary>A copy of one read, from when it is made until both answers are there.</summary>
/// <param name="request">The copy.</param>
/// <param name="endpoint">The gateway's, for the metric.</param>
internal sealed class ShadowRead(HttpRequestMessage request, string endpoint)
{
    /// <summary>Larger bodies are compared by their status alone.</summary>
    internal const int MostBytes = 256 * 1024;

    // The thread that has served the client does not go on with the comparison.
    private readonly TaskCompletionSource<RealAnswer?> _real = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public HttpRequestMessage Request => request;

    public string Endpoint => endpoint;

    /// <summary>The service's answer; null when there is none.</summary>
    public Task<RealAnswer?> Real => _real.Task;

    /// <summary>The call has ended.</summary>
    /// <param name="sent">What it brought; the default when it was cancelled.</param>
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
