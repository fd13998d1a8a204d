using System.Text.Json;
using Bff.Concurrency;

namespace Bff.Upstreams.Shadow;

/// <summary>
/// Sends copies of a share of an upstream's reads to another version of the service, and discards the answers. 1. A copy is made before the
/// call is sent, and runs independently: the call neither waits for it nor sees its result. 2. It has a pool of its own, with connections,
/// bulkhead and breaker, and makes one attempt. 3. Beyond <see cref="Most"/> copies in flight, no more are made. 4. If answers are
/// compared, that happens when both have arrived, outside of requests.
/// </summary>
internal sealed class ShadowReads : IDisposable
{
    /// <summary>Maximum number of copies in flight; bounds their memory.</summary>
    internal const int Most = 32;
    private const int MostBytes = 1024 * 1024;

    private readonly ShadowOptions _options;
    private readonly TimeProvider _time;
    private readonly string _upstream;
    private int _running;

    public ShadowReads(UpstreamOptions upstream, ShadowOptions options, PoolServices services)
    {
        (_options, _time, _upstream) = (options, services.Time, upstream.Name);
        var own = upstream with
        {
            Addresses = new([options.Address]),
            Retries = 0,
            HedgeAfter = null,
            Canary = null,
            Fallback = null,
            Shadow = null,
            MaxConcurrency = Most,
            MaxQueue = 0,
            MaxResponseBytes = Math.Min(upstream.MaxResponseBytes, MostBytes),
        };
        Pool = new UpstreamPool(own, "shadow", own.Addresses, services);
    }

    public UpstreamPool Pool { get; }

    /// <summary>Starts a copy of the read; returns null if none is wanted. Long-lived and streamed requests are not copied.</summary>
    /// <param name="request">The call's request, before it is sent.</param>
    /// <param name="path">Path below an address of the upstream.</param>
    /// <param name="endpoint">The gateway's endpoint, for the metric.</param>
    public ShadowRead? Begin(HttpRequestMessage request, Uri path, string endpoint)
    {
        if (Random.Shared.NextDouble() * 100 >= _options.Percent || IsLongLived(request) || Copy(request, path) is not { } copy)
        {
            return null;
        }

        if (Interlocked.Increment(ref _running) > Most)
        {
            Interlocked.Decrement(ref _running);
            ShadowMetrics.Count(_upstream, ShadowOutcome.Dropped);
            return null;
        }

        var read = new ShadowRead(copy, endpoint);
        ThreadPool.UnsafeQueueUserWorkItem(static state => _ = state.Reads.Run(state.Read), (Reads: this, Read: read), preferLocal: false);
        return read;
    }

    /// <summary>Passes on the result of the copied call when it has ended.</summary>
    /// <param name="read">The copy that <see cref="Begin"/> returned.</param>
    /// <param name="sent">The result of the call.</param>
    public void Answered(ShadowRead read, in Sent sent) => read.Answered(sent, _options.Compare);

    public void Dispose() => Pool.Dispose();

    private static bool IsLongLived(HttpRequestMessage request) =>
        request.Headers.Upgrade.Count > 0
        || (
            request.Headers.NonValidated.TryGetValues("Accept", out var accepted)
            && accepted.ToString().Contains("text/event-stream", StringComparison.OrdinalIgnoreCase)
        );

    /// <summary>
    /// Copies the request completely, because the call disposes of its own; returns null if the body can be read only once.
    /// </summary>
    private static HttpRequestMessage? Copy(HttpRequestMessage request, Uri path)
    {
        if (request.Content is not (null or ByteArrayContent { Headers.ContentLength: <= MostBytes }))
        {
            return null;
        }

        var copy = new HttpRequestMessage(request.Method, path) { Version = request.Version, VersionPolicy = request.VersionPolicy };
        copy.Options.Set(Repeatable.ReadsOnly, true);
        foreach (var (name, values) in request.Headers.NonValidated)
        {
            copy.Headers.TryAddWithoutValidation(name, values);
        }

        if (request.Content is { } content)
        {
            var bytes = content.ReadAsByteArrayAsync().GetAwaiter().GetResult(); // Does not block: the content is in memory.
            copy.Content = new ByteArrayContent(bytes);
            foreach (var (name, values) in content.Headers.NonValidated)
            {
                copy.Content.Headers.TryAddWithoutValidation(name, values);
            }
        }

        return copy;
    }

    private async Task Run(ShadowRead read)
    {
        try
        {
            using var request = read.Request;
            var call = new PooledCall
            {
                Request = request,
                Body = BodyUse.Decoded,
                Deadline = Deadline.In(Pool.Options.Timeout, _time),
            };
            var sent = await Pool.Send(call, CancellationToken.None);
            try
            {
                ShadowMetrics.Count(_upstream, await Outcome(read, sent));
            }
            finally
            {
                sent.Dispose();
            }
        }
#pragma warning disable CA1031 // A failed copy fails nothing else.
        catch (Exception)
#pragma warning restore CA1031
        {
            ShadowMetrics.Count(_upstream, ShadowOutcome.Failed);
        }
        finally
        {
            Interlocked.Decrement(ref _running);
        }
    }

    private async Task<ShadowOutcome> Outcome(ShadowRead read, Sent sent)
    {
        if (sent is not { Response: { } response, Body: { } body })
        {
            return ShadowOutcome.Failed;
        }

        if (!_options.Compare || await read.Real is not { } real)
        {
            return ShadowOutcome.Answered;
        }

        var status = (int)response.StatusCode;
        var paths = real.Status != status ? ["status"] : Paths(real.Json, body.Memory);
        foreach (var path in paths)
        {
            ShadowMetrics.CountDifference(_upstream, read.Endpoint, path);
        }

        return paths.Count == 0 ? ShadowOutcome.Same : ShadowOutcome.Different;
    }

    private static IReadOnlyCollection<string> Paths(byte[]? real, ReadOnlyMemory<byte> shadow)
    {
        if (real is null)
        {
            return [];
        }

        using var one = Parsed(real);
        if (one is null)
        {
            return []; // An invalid document of the service is not a difference of the shadow.
        }

        using var other = Parsed(shadow);
        try
        {
            return other is null ? ["$"] : JsonDifferences.Between(one.RootElement, other.RootElement);
        }
        catch (InvalidOperationException)
        {
            return ["$"]; // The names contain invalid text.
        }
    }

    private static JsonDocument? Parsed(ReadOnlyMemory<byte> json)
    {
        try
        {
            return JsonDocument.Parse(json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
