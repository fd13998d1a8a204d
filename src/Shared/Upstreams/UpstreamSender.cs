using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Bff.Callers.Identity;
using Bff.Concurrency;
using Bff.Configuration;
using Bff.Requests;
using Bff.Upstreams.Shadow;
using Bff.Upstreams.Tokens;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Bff.Upstreams;

/// <summary>
/// Sends one call to a named upstream on behalf of a request, for typed clients and pass-through routes alike:
/// 1. find the upstream (the sandbox's for test keys) and its pool; 2. set identity headers and the service's token; 3. send through the
/// pool's resilience;
/// 4. if that fails and the upstream names a <c>Fallback</c>, send the same request there once more (reads only), with that service's token
/// or none.
/// </summary>
internal sealed partial class UpstreamSender(
    UpstreamRegistry registry,
    IdentityAssertions? assertions = null,
    ReadGenerations? reads = null,
    ILogger<UpstreamSender>? logger = null,
    ServiceTokens? tokens = null,
    Reloadable<ClientHeaders>? clientHeaders = null
)
{
    private static readonly Sent Tokenless = new(null, UpstreamOutcome.Failed, null, FromFallback: false);
    private readonly ConcurrentDictionary<string, bool> _told = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Tracks what reads must see; a write counts as soon as it has ended, before its caller gets the result.</summary>
    public ReadGenerations Reads { get; } = reads ?? new();

    public TimeProvider Time => registry.Time;

    /// <summary>Returns the services whose canary answers the request.</summary>
    public string[] CanariesOf(BffRequest origin) => registry.CanariesOf(origin);

    /// <summary>
    /// Returns the caller's token if the upstream or its fallback gets it, so that it affects the answer; otherwise none.
    /// </summary>
    public CallerToken TokenFor(string name, BffRequest origin)
    {
        var options = origin.Token.IsNone ? null : registry.Find(name, origin)?.Options;
        return
            options is { Token.IsOfCaller: true }
            || (options?.Fallback is { } other && registry.Find(other, origin)?.Options is { Token.IsOfCaller: true })
            ? origin.Token
            : default;
    }

    /// <summary>
    /// Returns the client's headers for the service. For an answer that is cached for others, these are only the ones by which such answers
    /// vary.
    /// </summary>
    public KeyValuePair<string, string>[] ClientHeadersFor(string name, BffRequest origin)
    {
        var headers = (clientHeaders?.Current ?? ClientHeaders.None).Of(origin);
        return origin.IsShared ? ClientHeaders.Only(headers, VaryBy(name, origin)) : headers;
    }

    /// <summary>Returns the headers by which the upstream's answers vary.</summary>
    public IReadOnlyList<string> VaryBy(string name, BffRequest origin) =>
        (IReadOnlyList<string>?)registry.Find(name, origin)?.Options.VaryBy ?? [];

    /// <summary>Returns the header or query parameter that selects the upstream's canary; null if there is none.</summary>
    public string? CanaryHeader(string name, BffRequest origin) => registry.Find(name, origin)?.Options.Canary?.HeaderName;

    /// <summary>
    /// Returns the answer, or the outcome that explains its absence. Throws only if <paramref name="cancellation"/> is cancelled.
    /// </summary>
    public ValueTask<Sent> Send(
        string name,
        HttpRequestMessage request,
        BffRequest origin,
        BodyUse body,
        Deadline deadline,
        CancellationToken cancellation
    )
    {
        registry.CanariesOf(origin);
        if (registry.Find(name, origin) is not { } upstream)
        {
            return new(new Sent(null, UpstreamOutcome.Unavailable, null, FromFallback: false));
        }

        request.Headers.TryAddWithoutValidation("X-Request-Id", origin.RequestId);
        request.Headers.TryAddWithoutValidation("X-Correlation-Id", origin.CorrelationId);
        if (!Repeatable.IsRead(request))
        {
            return SendWrite(upstream, request, origin, body, deadline, cancellation);
        }

        return upstream.Options.Fallback is not { } fallback
            ? SendTo(upstream, request, origin, body, deadline, cancellation)
            : SendOrFallBack(upstream, fallback, request, origin, body, deadline, cancellation);
    }

    private async ValueTask<Sent> SendWrite(
        Upstream upstream,
        HttpRequestMessage request,
        BffRequest origin,
        BodyUse body,
        Deadline deadline,
        CancellationToken cancellation
    )
    {
        try
        {
            return await SendTo(upstream, request, origin, body, deadline, cancellation);
        }
        finally
        {
            Reads.Wrote(origin.Caller);
        }
    }

    private async ValueTask<Sent> SendOrFallBack(
        Upstream upstream,
        string fallback,
        HttpRequestMessage request,
        BffRequest origin,
        BodyUse body,
        Deadline deadline,
        CancellationToken cancellation
    )
    {
        if (registry.Find(fallback, origin) is not { } other)
        {
            return await SendTo(upstream, request, origin, body, deadline, cancellation);
        }

        var (requested, version) = (request.RequestUri!, request.Version);
        var sent = await SendTo(upstream, request, origin, body, WithRoom(upstream.Options, other.Options, deadline), cancellation);
        if (!sent.IsFailure)
        {
            return sent;
        }

        var copy = RequestCopy.Of(request);
        copy.RequestUri = Relative(requested, upstream.Options);
        copy.Version = version; // The fallback has its own setting for HTTP/2.
        ServiceToken.Remove(copy); // The fallback gets its own token.
        var second = await SendTo(other, copy, origin, body, deadline, cancellation);
        if (second.IsFailure)
        {
            second.Dispose();
            return sent;
        }

        sent.Dispose();
        return second with { FromFallback = true };
    }

    private ValueTask<Sent> SendTo(
        Upstream upstream,
        HttpRequestMessage request,
        BffRequest origin,
        BodyUse body,
        Deadline deadline,
        CancellationToken cancellation
    )
    {
        IdentityHeaders.Apply(request, origin, upstream.Options.Name, assertions);
        if (upstream.Options.Http2)
        {
            request.Version = System.Net.HttpVersion.Version20;
            request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        }

        switch (ServiceToken.Choose(origin, upstream.Options.Token))
        {
            case TokenChoice.Caller:
                ServiceToken.Set(request, origin.Token.Authorization);
                break;
            case TokenChoice.Own:
                return SendWithToken(upstream, request, origin, default, body, deadline, cancellation);
            case TokenChoice.Exchanged:
                return SendWithToken(upstream, request, origin, origin.Token, body, deadline, cancellation);
            case TokenChoice.Missing:
                if (logger is not null && _told.TryAdd(upstream.Options.Name, true))
                {
                    LogTokenless(logger, upstream.Options.Name);
                }

                return new(Tokenless);
        }

        return ToPool(upstream, request, origin, body, deadline, cancellation);
    }

    private static ValueTask<Sent> ToPool(
        Upstream upstream,
        HttpRequestMessage request,
        BffRequest origin,
        BodyUse body,
        Deadline deadline,
        CancellationToken cancellation
    )
    {
        var pool = upstream.PoolFor(origin);
        var call = new PooledCall
        {
            Request = request,
            Body = body,
            Deadline = deadline,
        };
        return
            upstream.ShadowOf(pool) is { } shadow
            && Repeatable.IsRead(request)
            && shadow.Begin(request, Relative(request.RequestUri!, upstream.Options), EndpointOf(origin)) is { } copy
            ? SendBeside(shadow, copy, pool, call, cancellation)
            : pool.Send(call, cancellation);
    }

    private static async ValueTask<Sent> SendBeside(
        ShadowReads shadow,
        ShadowRead copy,
        UpstreamPool pool,
        PooledCall call,
        CancellationToken cancellation
    )
    {
        var sent = default(Sent);
        try
        {
            sent = await pool.Send(call, cancellation);
            return sent;
        }
        finally
        {
            shadow.Answered(copy, sent);
        }
    }

    private static string EndpointOf(BffRequest origin) =>
        origin.HttpContext?.GetEndpoint()?.Metadata.GetMetadata<EndpointName>()?.Name ?? "";

    /// <summary>
    /// Sends a call with a token that the gateway requests: 1. get a cached or a new token; 2. make the call; 3. if the service rejects the
    /// token, drop it, and repeat the call once with a new one if it may be repeated; 4. if the service rejects that one too, the gateway
    /// has failed, not the caller.
    /// </summary>
    [AsyncMethodBuilder(typeof(ReusedStateBuilder<>))]
    private async ValueTask<Sent> SendWithToken(
        Upstream upstream,
        HttpRequestMessage request,
        BffRequest origin,
        CallerToken subject,
        BodyUse body,
        Deadline deadline,
        CancellationToken cancellation
    )
    {
        // 1
        if (tokens?.Of(upstream.Options.Token) is not { } target)
        {
            return TokenResult.Unavailable().ToSent();
        }

        var given = await target.Get(subject, deadline, refused: null, cancellation);
        if (given.Token is not { } token)
        {
            return given.ToSent();
        }

        // 2
        var (requested, version) = (request.RequestUri!, request.Version);
        ServiceToken.Set(request, token.Authorization);
        var sent = await ToPool(upstream, request, origin, body, deadline, cancellation);
        if (sent.Response is not { } first || !ServiceToken.IsRefused(first))
        {
            return sent;
        }

        // 3
        if (
            target.Drop(subject, token)
            && Repeatable.IsRepeatable(request)
            && (await target.Get(subject, deadline, token, cancellation)).Token is { } next
            && next != token
        )
        {
            sent.Dispose();
            var copy = RequestCopy.Of(request);
            (copy.RequestUri, copy.Version) = (requested, version);
            ServiceToken.Set(copy, next.Authorization);
            sent = await ToPool(upstream, copy, origin, body, deadline, cancellation);
        }

        // 4
        if (sent.Response is { } second && ServiceToken.IsRefused(second))
        {
            sent.Dispose();
            return new Sent(null, UpstreamOutcome.Failed, null, FromFallback: false);
        }

        return sent;
    }

    /// <summary>
    /// Returns a deadline that leaves time for the fallback, because a service that hangs must not use up all of it. The fallback gets its
    /// own timeout, or an equal share of the time that is left.
    /// </summary>
    private Deadline WithRoom(UpstreamOptions options, UpstreamOptions fallback, Deadline deadline)
    {
        var left = deadline.Left(Time);
        var share = left / (options.Retries + 2);
        return Deadline.In(left - (share < fallback.Timeout ? share : fallback.Timeout), Time);
    }

    private static Uri Relative(Uri requested, UpstreamOptions options)
    {
        if (!requested.IsAbsoluteUri)
        {
            return requested;
        }

        foreach (var address in options.Addresses)
        {
            if (address.IsBaseOf(requested))
            {
                return address.MakeRelativeUri(requested);
            }
        }

        return new Uri(requested.PathAndQuery.TrimStart('/'), UriKind.Relative);
    }

    [LoggerMessage(
        1611,
        LogLevel.Warning,
        "A request was refused because {Upstream} needs the caller's token (Token:Mode) and the caller has "
            + "none. Set Token:Otherwise to call it for API keys and anonymous callers",
        EventName = "CallerWithoutToken"
    )]
    private static partial void LogTokenless(ILogger logger, string upstream);
}

/// <summary>
/// Result of a call, for typed clients and pass-through alike: an answer with any status, or the outcome that explains its absence.
/// </summary>
internal readonly record struct Sent(HttpResponseMessage? Response, UpstreamOutcome Outcome, TimeSpan? RetryAfter, bool FromFallback)
    : IDisposable
{
    /// <summary>The call's place in the bulkhead, which a streamed answer holds until it has ended.</summary>
    public IDisposable? Place { get; init; }

    /// <summary>The answer's body, if it was read completely; always the case for typed clients.</summary>
    public BufferedBody? Body { get; init; }

    /// <summary>Whether there is no answer, or one that shows a failure of the upstream.</summary>
    public bool IsFailure =>
        Response is null || (int)Response.StatusCode >= 500 || AttemptOutcome.IsBad(Response, isWhole: Body is not null);

    /// <summary>Converts the outcome of an attempt.</summary>
    /// <exception cref="OperationCanceledException">The caller no longer waits.</exception>
    public static Sent Of(AttemptOutcome outcome, TimeProvider time, CancellationToken cancellation) =>
        outcome switch
        {
            { Response: { } response } => new Sent(
                response,
                UpstreamOutcome.Ok,
                Upstreams.RetryAfter.Of(response, time),
                FromFallback: false
            )
            {
                Body = outcome.Body,
            },
            { End: AttemptEnd.TimedOut } => new Sent(null, UpstreamOutcome.Timeout, null, false),
            { End: AttemptEnd.Abandoned } => throw new OperationCanceledException(cancellation),
            _ => new Sent(null, UpstreamOutcome.Failed, null, false),
        };

    /// <summary>Returns the failure for a typed client.</summary>
    public UpstreamAnswer<T> No<T>() => UpstreamAnswer<T>.No(Outcome, 0, RetryAfter);

    /// <summary>Returns the problem for a client.</summary>
    public Problem ToProblem() => Outcome.ToProblem(RetryAfter, section: null);

    public void Dispose()
    {
        Response?.Dispose();
        Body?.Dispose();
        Place?.Dispose();
    }
}
