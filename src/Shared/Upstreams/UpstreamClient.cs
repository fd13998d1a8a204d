using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Bff.Concurrency;

namespace Bff.Upstreams;

/// <summary>
/// Calls one named upstream and reads its answers; typed clients build on it. Failures are values; only cancellation throws.
/// </summary>
public sealed class UpstreamClient
{
    private readonly UpstreamSender _sender;
    private readonly bool _isShared;
    private readonly ConcurrentDictionary<ReadKey, object> _reads = new();

    internal UpstreamClient(string name, UpstreamSender sender, bool isShared = false)
    {
        Name = name;
        _sender = sender;
        _isShared = isShared;
    }

    /// <summary>The upstream's name in configuration.</summary>
    public string Name { get; }

    internal TimeProvider Time => _sender.Time;

    /// <summary>
    /// Sends a request and reads its JSON. A read may be repeated and hedged. Identical reads of the same caller that are in flight at the
    /// same time are one call and share its value, which must be immutable. A write is sent once, unless it carries the caller's
    /// idempotency key.
    /// </summary>
    /// <param name="what">Text that identifies the request completely.</param>
    /// <param name="request">The request; not sent if it is a read that can join another one.</param>
    /// <param name="type">Metadata of the answer.</param>
    /// <param name="call">The client's request and the time limit.</param>
    internal ValueTask<UpstreamAnswer<T>> Make<T>(string what, HttpRequestMessage request, JsonTypeInfo<T> type, CallContext call) =>
        Repeatable.IsRead(request) ? Read(what, request, type, call) : Send(request, type, call);

    /// <summary>Sends any request and reads its JSON answer.</summary>
    [AsyncMethodBuilder(typeof(ReusedStateBuilder<>))]
    internal async ValueTask<UpstreamAnswer<T>> Send<T>(HttpRequestMessage request, JsonTypeInfo<T> type, CallContext call)
    {
        using var sent = await SendRaw(request, call);
        return Parse(type, sent);
    }

    /// <summary>
    /// Sends a request that only reads, or joins the same read of the same caller in flight. Does not join one that started before an
    /// invalidation, or before a write of the caller ended.
    /// </summary>
    /// <param name="what">Text that identifies the request completely.</param>
    /// <param name="request">The request; not sent if it can join another one.</param>
    /// <param name="type">Metadata of the answer.</param>
    /// <param name="call">The client's request and the time limit.</param>
    private ValueTask<UpstreamAnswer<T>> Read<T>(string what, HttpRequestMessage request, JsonTypeInfo<T> type, CallContext call)
    {
        if (!call.Request.Caller.IsAuthenticated)
        {
            return Send(request, type, call);
        }

        var key = new ReadKey(
            what,
            typeof(T),
            call.Request.Caller,
            _sender.TokenFor(Name, call.Request),
            _sender.ClientHeadersFor(Name, call.Request),
            _sender.CanariesOf(call.Request)
        );
        var own = new ReadInFlight<T>(_sender.Reads.Capture(call.Request.Caller));
        while (true)
        {
            var known = _reads.GetOrAdd(key, own);
            if (ReferenceEquals(known, own))
            {
                return Lead(own, key, request, type, call);
            }

            var earlier = (ReadInFlight<T>)known;
            if (_sender.Reads.IsCurrent(earlier.Stamp) && earlier.Join() is { } coming)
            {
                return Follow(coming, what, request, type, call);
            }

            _reads.TryRemove(KeyValuePair.Create(key, known));
        }
    }

    /// <summary>
    /// Reads a file that is not JSON, such as an image, of at most <c>MaxResponseBytes</c>. May be repeated and hedged.
    /// </summary>
    internal async ValueTask<UpstreamAnswer<UpstreamFile>> GetFile(HttpRequestMessage request, CallContext call)
    {
        using var sent = await SendRaw(request, call);
        if (sent is not { Response: { } response, Body: { } body })
        {
            return sent.No<UpstreamFile>();
        }

        var status = (int)response.StatusCode;
        return status == 200
            ? UpstreamAnswer<UpstreamFile>.Ok(
                new UpstreamFile(
                    body.Memory.ToArray(),
                    MediaTypeHeaderValue.TryParse(AnswerType.Of(response.Content), out var type) ? type.MediaType : null
                )
            ) with
            {
                FromFallback = sent.FromFallback,
            }
            : UpstreamAnswer<UpstreamFile>.No(status < 400 ? UpstreamOutcome.Failed : Outcome(status), status, sent.RetryAfter);
    }

    /// <summary>Sends any request and reads the whole body into memory. The caller disposes of the answer.</summary>
    /// <exception cref="InvalidOperationException">The answer would be cached for others than the caller, and the client is not registered
    /// for that.</exception>
    internal ValueTask<Sent> SendRaw(HttpRequestMessage request, CallContext call)
    {
        if (call.Request.IsShared && !_isShared)
        {
            throw new InvalidOperationException(
                $"A part that is kept for others than its caller asks '{Name}': register its client with isShared: true."
            );
        }

        foreach (var (name, value) in _sender.ClientHeadersFor(Name, call.Request))
        {
            if (!request.Headers.NonValidated.Contains(name))
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }

        return _sender.Send(Name, request, call.Request, BodyUse.Decoded, call.Deadline, call.Cancellation);
    }

    [AsyncMethodBuilder(typeof(ReusedStateBuilder<>))]
    private async ValueTask<UpstreamAnswer<T>> Lead<T>(
        ReadInFlight<T> own,
        ReadKey key,
        HttpRequestMessage request,
        JsonTypeInfo<T> type,
        CallContext call
    )
    {
        UpstreamAnswer<T>? shared = null;
        try
        {
            using var sent = await SendRaw(request, call);
            var answer = Parse(type, sent);
            shared = answer.Outcome == UpstreamOutcome.Timeout ? null : answer; // Callers that joined later may have more time.
            return answer;
        }
        finally
        {
            _reads.TryRemove(KeyValuePair.Create(key, (object)own));
            own.Complete(shared);
        }
    }

    private async ValueTask<UpstreamAnswer<T>> Follow<T>(
        Task<UpstreamAnswer<T>?> coming,
        string what,
        HttpRequestMessage request,
        JsonTypeInfo<T> type,
        CallContext call
    )
    {
        try
        {
            if (await coming.WaitAsync(call.Deadline.Left(_sender.Time), _sender.Time, call.Cancellation) is { } answer)
            {
                return answer;
            }
        }
        catch (TimeoutException)
        {
            return UpstreamAnswer<T>.No(UpstreamOutcome.Timeout);
        }

        return await Read(what, request, type, call);
    }

    private static UpstreamAnswer<T> Parse<T>(JsonTypeInfo<T> type, in Sent sent)
    {
        if (sent is not { Response: { } response, Body: { } body })
        {
            return sent.No<T>();
        }

        var status = (int)response.StatusCode;
        if (status is < 200 or > 299)
        {
            var outcome = Outcome(status);
            return UpstreamAnswer<T>.No(outcome, status, sent.RetryAfter) with
            {
                ServiceProblem = outcome == UpstreamOutcome.Rejected ? ServiceProblem.Read(response, body) : null,
            };
        }

        if (typeof(T) == typeof(NoContent))
        {
            return UpstreamAnswer<T>.Ok((T)(object)NoContent.Instance, status) with { ETag = One(response.Headers, "ETag") };
        }

        if (!AnswerType.IsJson(response.Content))
        {
            return UpstreamAnswer<T>.No(UpstreamOutcome.Failed, status);
        }

        try
        {
            var value = StrictDocument.Read(body.Memory.Span, type);
            return value is null
                ? UpstreamAnswer<T>.No(UpstreamOutcome.Failed, status)
                : UpstreamAnswer<T>.Ok(value, status) with
                {
                    FromFallback = sent.FromFallback,
                    Location = response.Headers.Location,
                    ETag = One(response.Headers, "ETag"),
                    LastModified = One(response.Content.Headers, "Last-Modified"),
                };
        }
        catch (Exception garbage) when (garbage is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a hand-written reader met an invalid escape.
            return UpstreamAnswer<T>.No(UpstreamOutcome.Failed, status);
        }
    }

    /// <summary>
    /// Returns the header unchanged; null if it is missing, repeated, or contains a control character, which the gateway could not send on.
    /// </summary>
    private static string? One(HttpHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out var values)
        && values.Count == 1
        && values.ToString() is var text
        && !text.AsSpan().ContainsAnyInRange('\0', '\u001f')
        && !text.Contains('\u007f')
            ? text
            : null;

    private static UpstreamOutcome Outcome(int status) =>
        status switch
        {
            403 or 404 => UpstreamOutcome.NotFound,
            >= 400 and < 500 => UpstreamOutcome.Rejected,
            _ => UpstreamOutcome.Failed,
        };
}

/// <summary>The bytes of a file.</summary>
/// <param name="Content">The whole content.</param>
/// <param name="MediaType">The service's media type without parameters; null if it states none.</param>
public sealed record UpstreamFile(ReadOnlyMemory<byte> Content, string? MediaType);

/// <summary>Represents an answer without a document, such as 204.</summary>
public sealed class NoContent
{
    /// <summary>The only instance.</summary>
    public static readonly NoContent Instance = new();
}
