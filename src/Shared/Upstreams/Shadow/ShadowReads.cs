using System.Text.Json;
using Bff.Concurrency;

namespace Bff.Upstreams.Shadow;

/// <summary>
/// Sends copies of a share of an upstream's reads to another version of the service, and throws the answers away. 1. A copy is made before
/// the call is sent, and goes on by itself: the call neither waits for it nor hears of it. 2. It has a pool of its own: connections,
/// bulkhead, breaker; one attempt. 3. Beyond <see cref="Most"/> copies under way none is made. 4. Where answers are compared, that is done
/// when both are there, beside the requests.
/// </summary>
internal sealed class ShadowReads : IDisposable
{
    /// <summary>Copies at once; bounds what they hold in memory.</summary>
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

    /// <summary>A copy of the read, on its way; null where none is wanted. What is sent for hours, or as it comes, is not copied.</summary>
    /// <param name="request">The call's, before it is sent.</param>
    /// <param name="path">Where it goes, below an address of the upstream.</param>
    /// <param name="endpoint">The gateway's, for the metric.</param>
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

    /// <summary>The call that was copied has ended.</summary>
    /// <param name="read">As <see cref="Begin"/> gave it.</param>
    /// <param name="sent">What the call brought.</param>
    public void Answered(ShadowRead read, in Sent sent) => read.Answered(sent, _options.Compare);

    public void Dispose() => Pool.Dispose();

    private static bool IsLongLived(HttpRequestMessage request) =>
        request.Headers.Upgrade.Count > 0
        || (
            request.Headers.NonValidated.TryGetValues("Accept", out var accepted)
            && accepted.ToString().Contains("text/event-stream", StringComparison.OrdinalIgnoreCase)
        );

    /// <summary>What the service gets; null where the body can only be read once. It shares nothing with the call, which ends by itself.</summary>
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
            var bytes = content.ReadAsByteArrayAsync().GetAwaiter().GetResult(); // In memory: it is there.
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
#pragma warning disable CA1031 // Whatever becomes of a copy is no one's failure.
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
            return []; // What the service does wrong is not the shadow's doing.
        }

        using var other = Parsed(shadow);
        try
        {
            return other is null ? ["$"] : JsonDifferences.Between(one.RootElement, other.RootElement);
        }
        catch (InvalidOperationException)
        {
            return ["$"]; // Names that are no text.
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
