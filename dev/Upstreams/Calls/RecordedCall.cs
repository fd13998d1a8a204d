using Microsoft.Extensions.Primitives;

namespace Bff.Dev.Upstreams.Calls;

/// <summary>One request as it arrived, and how it ended.</summary>
public sealed class RecordedCall
{
    internal const int MaxBodyBytes = 64 * 1024;
    private static long lastOrder;

    private readonly TaskCompletionSource<bool> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly KeyValuePair<string, StringValues>[] headers;

    internal RecordedCall(Exchange exchange, string service, DateTimeOffset startedAt)
    {
        Order = Interlocked.Increment(ref lastOrder);
        Service = service;
        StartedAt = startedAt;
        Method = exchange.Request.Method;
        Path = exchange.Request.Path.Value ?? "";
        Query = exchange.Request.QueryString.Value ?? "";
        Protocol = exchange.Request.Protocol;
        headers = [.. exchange.Request.Headers];
        Body = exchange.Body.Length > MaxBodyBytes ? exchange.Body[..MaxBodyBytes] : exchange.Body;
    }

    /// <summary>Number of the call in the order of starts, over all services of the process.</summary>
    public long Order { get; }
    public string Service { get; }
    public DateTimeOffset StartedAt { get; }
    public string Method { get; }
    public string Path { get; }
    public string Query { get; }
    public string Protocol { get; }
    public IReadOnlyList<KeyValuePair<string, StringValues>> Headers => headers;

    /// <summary>The body, at most the first 64 KiB.</summary>
    public ReadOnlyMemory<byte> Body { get; }
    public string BodyText => System.Text.Encoding.UTF8.GetString(Body.Span);

    /// <summary>Completes when the service is done with the call; true if the client had disconnected by then.</summary>
    public Task<bool> Ended => ended.Task;
    public bool Aborted => ended.Task is { IsCompletedSuccessfully: true, Result: true };

    /// <summary>Returns the header's value, with several values joined by commas, or null.</summary>
    public string? Header(string name)
    {
        foreach (var (key, value) in headers)
        {
            if (string.Equals(key, name, StringComparison.OrdinalIgnoreCase))
                return value.ToString();
        }
        return null;
    }

    internal void End(bool aborted) => ended.TrySetResult(aborted);
}
