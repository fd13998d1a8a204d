using System.Collections.Concurrent;
using Bff.Tenancy;
using Microsoft.AspNetCore.Http;

namespace Bff.Requests;

/// <summary>
/// What the stages know of one request: made by the edge, completed by the callers' stage, read by all that follow.
/// Travels as a feature of the <see cref="HttpContext"/>, so that no ambient (async-local) state is needed.
/// </summary>
public sealed class BffRequest
{
    private ConcurrentQueue<KeyValuePair<string, string>>? _degraded;

    /// <summary>
    /// The request that this describes; null for work that goes on after the answer, such as the refresh of a stale fragment.
    /// </summary>
    public HttpContext? HttpContext { get; init; }

    /// <summary><c>X-Request-Id</c>: the client's when well-formed, else minted.</summary>
    public required string RequestId { get; init; }

    /// <summary><c>X-Correlation-Id</c>: the client's when well-formed, else the request id.</summary>
    public required string CorrelationId { get; init; }

    /// <summary><see cref="TimeProvider.GetTimestamp"/> at arrival.</summary>
    public required long StartTimestamp { get; init; }

    /// <summary>
    /// The canonical, decoded path: the one form that is routed, checked and forwarded. No empty or dot segments, no <c>;</c>, backslash or
    /// control character; every <c>/</c> in it separates. Always equal to the request's <see cref="HttpRequest.Path"/>.
    /// </summary>
    public string Path { get; internal set; } = "/";

    /// <summary><c>Content-Security-Policy</c> of an answer that is a page; null for everything else, which gets the strictest.</summary>
    public string? PagePolicy { get; set; }

    /// <summary>Whether the host has a list of origins, so that every answer depends on the request's.</summary>
    internal bool VariesByOrigin { get; init; }

    /// <summary>Characters of the client's headers, names included; null until they have been looked at.</summary>
    internal int? HeadLength { get; set; }

    /// <summary>The largest body that the caller's plan takes; null: the plan does not say.</summary>
    internal long? PlanBytes { get; set; }

    /// <summary>The body once it has been read as a whole.</summary>
    internal HeldBody? Held { get; set; }

    /// <summary>What routing refused and is routed once more; null for nearly every request.</summary>
    internal RefusedRequest? Refused { get; set; }

    /// <summary>What was wrong with the body while it was read: the client's doing, whatever came of it at a service.</summary>
    internal BadHttpRequestException? BodyFault { get; private set; }

    /// <summary>
    /// Cancelled before the reader of the body hears of its flaw. Set by the code that sends the body on while it arrives.
    /// </summary>
    internal CancellationTokenSource? BodyFailed { get; set; }

    /// <summary>Whether an endpoint sends the body on while it arrives, as a part of its answer.</summary>
    internal bool IsArriving { get; set; }

    /// <summary>
    /// Whether the answer goes out line by line, as parts of it come: compressed so, and over within the deadline of a composition.
    /// </summary>
    internal bool IsProgressive { get; set; }

    /// <summary>Called when the last of such a body has arrived.</summary>
    internal Action? BodyArrived { get; set; }

    /// <summary>
    /// Among those that the host serves at once, where the request has a body or its answer may stream; null for all others.
    /// </summary>
    internal IAdmissionPlace? Place { get; set; }

    /// <summary>Who is calling; <see cref="Caller.Anonymous"/> until the callers' stage has decided.</summary>
    public Caller Caller { get; set; } = Caller.Anonymous;

    /// <summary>The caller's tenant; null until the limits' stage has found it, and where it is not known here.</summary>
    public Tenant? Tenant { get; set; }

    /// <summary>The caller's access token, for services that are configured to get it.</summary>
    internal CallerToken Token { get; set; }

    /// <summary>What services are told of the client's headers; null until it is asked for.</summary>
    internal KeyValuePair<string, string>[]? ClientHeaders { get; set; }

    /// <summary>Services whose canary answers; null until they are asked for.</summary>
    internal string[]? Canaries { get; set; }

    /// <summary>A client asked as HEAD what routing knows as GET.</summary>
    internal bool IsHead { get; set; }

    /// <summary><see cref="TimeProvider.GetTimestamp"/> at which a body that was read as a whole was there; null without one.</summary>
    internal long? BodyTimestamp { get; set; }

    /// <summary>True when the answer is kept for others than the caller: nothing of the caller's own may go into it.</summary>
    internal bool IsShared { get; init; }

    /// <summary>Ends the answer with the caller's credential; null for anonymous callers.</summary>
    internal ICallerLife? Life { get; set; }

    /// <summary>Cost units that the limits' stage took for it beyond the day's quota: what is billed.</summary>
    public long Overage { get; internal set; }

    /// <summary>How a gRPC call ended; null while it is not known, and for every other request.</summary>
    internal int? GrpcStatus { get; set; }

    /// <summary>Composition parts that were not served live, with their status; for the access log.</summary>
    public IReadOnlyCollection<KeyValuePair<string, string>> Degraded => _degraded ?? (IReadOnlyCollection<KeyValuePair<string, string>>)[];

    /// <summary>
    /// The same caller and ids without the <see cref="HttpContext"/>, which serves another request once this one is answered.
    /// </summary>
    public BffRequest Detach() => Without(Caller, Tenant, Token, ClientHeaders, isShared: false);

    /// <summary>The same for an answer that is kept for others too, whose token it therefore must not be fetched with.</summary>
    /// <param name="clientHeaders">What it is kept apart by, and nothing else.</param>
    internal BffRequest DetachShared(KeyValuePair<string, string>[] clientHeaders) =>
        Without(Caller, Tenant, token: default, clientHeaders, isShared: true);

    /// <summary>The same ids without the caller: for an answer that is made once for everybody, such as a picture.</summary>
    /// <param name="clientHeaders">As for <see cref="DetachShared"/>.</param>
    internal BffRequest ForEverybody(KeyValuePair<string, string>[] clientHeaders) =>
        Without(Caller.Anonymous, tenant: null, token: default, clientHeaders, isShared: true);

    private BffRequest Without(
        Caller caller,
        Tenant? tenant,
        CallerToken token,
        KeyValuePair<string, string>[]? clientHeaders,
        bool isShared
    ) =>
        new()
        {
            RequestId = RequestId,
            CorrelationId = CorrelationId,
            StartTimestamp = StartTimestamp,
            Caller = caller,
            Tenant = tenant,
            Token = token,
            ClientHeaders = clientHeaders,
            Canaries = Canaries,
            IsShared = isShared,
        };

    /// <summary>Notes a flaw of the body, and gives it back to be thrown.</summary>
    internal BadHttpRequestException Fail(BadHttpRequestException fault)
    {
        BodyFault = fault;
        try
        {
            BodyFailed?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The answer was there first.
        }

        return fault;
    }

    /// <summary>Notes a part that was not served live.</summary>
    public void AddDegraded(string part, string status) => LazyInitializer.EnsureInitialized(ref _degraded).Enqueue(new(part, status));

    /// <summary>The request's own; the edge has run before anything can ask.</summary>
    /// <exception cref="InvalidOperationException">The pipeline of <c>UseBffPipeline</c> is not in place.</exception>
    public static BffRequest Of(HttpContext context) =>
        context.Features.Get<BffRequest>() ?? throw new InvalidOperationException("UseBffPipeline has not run for this request.");

    /// <summary>Lets endpoints ask for it as a parameter.</summary>
    public static ValueTask<BffRequest?> BindAsync(HttpContext context) => new(Of(context));
}

/// <summary>An answer's tie to the credential that asked for it.</summary>
internal interface ICallerLife
{
    /// <summary>Cancelled when the credential expires or is revoked. The code that asks for it ends the answer itself.</summary>
    CancellationToken Ended { get; }
}

/// <summary>
/// The place of a request whose body arrives, or whose answer streams, among those that the host serves at once. Readers of the body step
/// out while they wait for its sender.
/// </summary>
internal interface IAdmissionPlace
{
    /// <summary>Gives the place to others while the sender is waited for.</summary>
    void StepOut();

    /// <summary>Takes a place again if one is free.</summary>
    void TryStepIn();

    /// <summary>Takes a place again, and waits for one.</summary>
    /// <exception cref="ProblemException">503 <c>overloaded</c>: there is none.</exception>
    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    ValueTask StepIn(CancellationToken cancellation);

    /// <summary>Gives the place back for good.</summary>
    void Leave();
}

/// <summary>What routing refused, while it is routed once more as a request that would be served.</summary>
/// <param name="Refusal">The endpoint that routing made to answer 405, 406 or 415.</param>
/// <param name="Method">The request's own method.</param>
/// <param name="ContentType">The request's own media type.</param>
internal sealed record RefusedRequest(Endpoint Refusal, string Method, string? ContentType);
