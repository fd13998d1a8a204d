using System.Collections.Concurrent;
using Bff.Tenancy;
using Microsoft.AspNetCore.Http;

namespace Bff.Requests;

/// <summary>
/// The state that the stages share about one request. The edge creates it, the callers' stage completes it, and all later stages read it.
/// It travels as a feature of the <see cref="HttpContext"/>, so no ambient (async-local) state is needed.
/// </summary>
public sealed class BffRequest
{
    private ConcurrentQueue<KeyValuePair<string, string>>? _degraded;

    /// <summary>
    /// The request that this object describes. Null for work that goes on after the answer, such as the refresh of a stale fragment.
    /// </summary>
    public HttpContext? HttpContext { get; init; }

    /// <summary><c>X-Request-Id</c>: the client's if it is well-formed, otherwise a new one.</summary>
    public required string RequestId { get; init; }

    /// <summary><c>X-Correlation-Id</c>: the client's if it is well-formed, otherwise the request id.</summary>
    public required string CorrelationId { get; init; }

    /// <summary><see cref="TimeProvider.GetTimestamp"/> at arrival.</summary>
    public required long StartTimestamp { get; init; }

    /// <summary>
    /// The canonical, decoded path: the one form that is routed, checked and forwarded. It has no empty or dot segments, no <c>;</c>,
    /// backslash or control character, and every <c>/</c> in it is a separator. Always equal to the request's
    /// <see cref="HttpRequest.Path"/>.
    /// </summary>
    public string Path { get; internal set; } = "/";

    /// <summary>
    /// <c>Content-Security-Policy</c> of an answer that is a page. Null for all other answers, which get the strictest policy.
    /// </summary>
    public string? PagePolicy { get; set; }

    /// <summary>Whether the host has a list of allowed origins, so that every answer depends on the request's origin.</summary>
    internal bool VariesByOrigin { get; init; }

    /// <summary>Characters of the client's headers, names included. Null until they are counted.</summary>
    internal int? HeadLength { get; set; }

    /// <summary>Largest body in bytes that the caller's plan allows. Null: the plan sets no limit.</summary>
    internal long? PlanBytes { get; set; }

    /// <summary>The body, once it has been read as a whole.</summary>
    internal HeldBody? Held { get; set; }

    /// <summary>The request that routing refused and that is being routed again. Null for nearly every request.</summary>
    internal RefusedRequest? Refused { get; set; }

    /// <summary>The fault found in the body while it was read. The client caused it, whatever a service then answered.</summary>
    internal BadHttpRequestException? BodyFault { get; private set; }

    /// <summary>
    /// Cancelled before the reader of the body learns of the fault. Set by the code that forwards the body while it arrives.
    /// </summary>
    internal CancellationTokenSource? BodyFailed { get; set; }

    /// <summary>Whether an endpoint forwards the body while it arrives, as a part of its answer.</summary>
    internal bool IsArriving { get; set; }

    /// <summary>
    /// Whether the answer is sent line by line as its parts become ready. Such an answer is compressed line by line and ends within the
    /// deadline of a composition.
    /// </summary>
    internal bool IsProgressive { get; set; }

    /// <summary>Called when the last byte of a body that is forwarded while it arrives has arrived.</summary>
    internal Action? BodyArrived { get; set; }

    /// <summary>
    /// The request's place among those that the host serves at once. Set for requests that have a body or whose answer may stream; null for
    /// all others.
    /// </summary>
    internal IAdmissionPlace? Place { get; set; }

    /// <summary>The caller. <see cref="Caller.Anonymous"/> until the callers' stage has decided.</summary>
    public Caller Caller { get; set; } = Caller.Anonymous;

    /// <summary>The caller's tenant. Null until the limits' stage has found it, and null where the tenant is not known here.</summary>
    public Tenant? Tenant { get; set; }

    /// <summary>The caller's access token, for services that are configured to receive it.</summary>
    internal CallerToken Token { get; set; }

    /// <summary>The headers that tell services about the client's headers. Null until they are first needed.</summary>
    internal KeyValuePair<string, string>[]? ClientHeaders { get; set; }

    /// <summary>Names of the services whose canary answers this request. Null until they are first needed.</summary>
    internal string[]? Canaries { get; set; }

    /// <summary>Whether the client sent a HEAD that routing treats as a GET.</summary>
    internal bool IsHead { get; set; }

    /// <summary>
    /// <see cref="TimeProvider.GetTimestamp"/> at which a body that is read as a whole had arrived. Null if there is none.
    /// </summary>
    internal long? BodyTimestamp { get; set; }

    /// <summary>Whether the answer is kept for other callers too, so that nothing of the caller's own may go into it.</summary>
    internal bool IsShared { get; init; }

    /// <summary>Ends the answer when the caller's credential ends. Null for anonymous callers.</summary>
    internal ICallerLife? Life { get; set; }

    /// <summary>Cost units that the limits' stage took for this request beyond the day's quota. They are billed.</summary>
    public long Overage { get; internal set; }

    /// <summary>Status of a gRPC call. Null while it is not known, and for every other request.</summary>
    internal int? GrpcStatus { get; set; }

    /// <summary>Composition parts that were not served live, with their status, for the access log.</summary>
    public IReadOnlyCollection<KeyValuePair<string, string>> Degraded => _degraded ?? (IReadOnlyCollection<KeyValuePair<string, string>>)[];

    /// <summary>
    /// Returns a copy with the same caller and ids, without the <see cref="HttpContext"/>, which is reused for another request once this
    /// one is answered.
    /// </summary>
    public BffRequest Detach() => Without(Caller, Tenant, Token, ClientHeaders, isShared: false);

    /// <summary>
    /// Returns a copy like <see cref="Detach"/> for an answer that is also kept for other callers. It has no token, because the answer must
    /// not be fetched with this caller's.
    /// </summary>
    /// <param name="clientHeaders">The client's headers by which the kept answers differ, and no others.</param>
    internal BffRequest DetachShared(KeyValuePair<string, string>[] clientHeaders) =>
        Without(Caller, Tenant, token: default, clientHeaders, isShared: true);

    /// <summary>
    /// Returns a copy with the same ids and without the caller, for an answer that is made once for everybody, such as a picture.
    /// </summary>
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

    /// <summary>Records a fault of the body and returns it to be thrown.</summary>
    internal BadHttpRequestException Fail(BadHttpRequestException fault)
    {
        BodyFault = fault;
        try
        {
            BodyFailed?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The answer was complete first.
        }

        return fault;
    }

    /// <summary>Records a part that was not served live.</summary>
    public void AddDegraded(string part, string status) => LazyInitializer.EnsureInitialized(ref _degraded).Enqueue(new(part, status));

    /// <summary>Returns the state of this request. The edge creates it before any other code can ask for it.</summary>
    /// <exception cref="InvalidOperationException">The pipeline of <c>UseBffPipeline</c> is not in place.</exception>
    public static BffRequest Of(HttpContext context) =>
        context.Features.Get<BffRequest>() ?? throw new InvalidOperationException("UseBffPipeline has not run for this request.");

    /// <summary>Binds the state as an endpoint parameter.</summary>
    public static ValueTask<BffRequest?> BindAsync(HttpContext context) => new(Of(context));
}

/// <summary>Ties an answer to the credential of its caller.</summary>
internal interface ICallerLife
{
    /// <summary>Cancelled when the credential expires or is revoked. The code that reads it ends the answer itself.</summary>
    CancellationToken Ended { get; }
}

/// <summary>
/// The place of a request among those that the host serves at once. Used for a request whose body arrives slowly or whose answer streams.
/// Readers of the body give the place up while they wait for the sender.
/// </summary>
internal interface IAdmissionPlace
{
    /// <summary>Gives the place to others while the request waits for its sender.</summary>
    void StepOut();

    /// <summary>Takes a place again if one is free.</summary>
    void TryStepIn();

    /// <summary>Takes a place again, and waits until one is free.</summary>
    /// <exception cref="ProblemException">503 <c>overloaded</c>: no place became free.</exception>
    /// <exception cref="OperationCanceledException">The client has disconnected.</exception>
    ValueTask StepIn(CancellationToken cancellation);

    /// <summary>Gives the place back for good.</summary>
    void Leave();
}

/// <summary>A request that routing refused, while it is routed again in a form that would be served.</summary>
/// <param name="Refusal">The endpoint that routing made to answer 405, 406 or 415.</param>
/// <param name="Method">The request's own method.</param>
/// <param name="ContentType">The request's own media type.</param>
internal sealed record RefusedRequest(Endpoint Refusal, string Method, string? ContentType);
