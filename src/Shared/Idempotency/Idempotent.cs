using System.Security.Cryptography;
using System.Text;
using Bff.Concurrency;
using Bff.Edge;
using Bff.Requests;
using Bff.State;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Bff.Idempotency;

/// <summary>
/// Serves a keyed write once (draft-ietf-httpapi-idempotency-key-header).
/// 1. Reads key and body.
/// 2. Locks the key in the store. The answer is 409 while a copy runs, 422 for another request under the key, the stored answer if there is
/// one, and 503 while the store is away, so that nothing is sent unguarded.
/// 3. Serves the request and renews the lock meanwhile.
/// 4. Stores the answer, or gives the key back.
/// 5. Answers.
/// A process that dies between 2 and 4 leaves a lock that expires. The next copy is sent to the service under the same key, by which the
/// service recognizes it.
/// </summary>
public sealed partial class Idempotent(
    IIdempotencyStore store,
    IOptions<IdempotencyOptions> options,
    TimeProvider time,
    ILogger<Idempotent> logger
)
{
    private static readonly Problem KeyRequired = new(ProblemCodes.IdempotencyKeyRequired);
    private static readonly Problem Mismatch = new(ProblemCodes.IdempotencyMismatch);
    private readonly BackgroundLoop _renewals = new("idempotency-locks", logger);

    /// <summary>Serves the request under its key. Buffers the answer.</summary>
    /// <param name="context">The request. Its body is read here and can be read again.</param>
    /// <param name="isRequired">
    /// Whether a request without a key gets 400 <c>idempotency_key_required</c>. Otherwise it is simply served.
    /// </param>
    /// <param name="serve">Writes the answer to the response. Runs at most once.</param>
    /// <exception cref="StoreUnavailableException">The store is away.</exception>
    public async Task Run(HttpContext context, bool isRequired, RequestDelegate serve)
    {
        if (IdempotencyKey.Of(context.Request) is not { } key)
        {
            await (isRequired || IdempotencyKey.IsPresent(context.Request) ? KeyRequired.ExecuteAsync(context) : serve(context));
            return;
        }

        var body = await RequestBody.Hold(context, context.RequestAborted);
        var scope = IdempotencyKey.ScopeOf(BffRequest.Of(context).Caller, options.Value.Scope);
        var request = new KeyedRequest(key, scope);
        context.Features.Set(request);
        var fingerprint = await Fingerprint(context.Request, body);
        var guarded = await Guard(
            IdempotencyKey.Hash(scope, key),
            fingerprint,
            0,
            async fencingToken =>
            {
                request.FencingToken = fencingToken;
                var answer = await AnswerCapture.Run(context, serve);
                return (answer, request.IsFinal ? KeepingOf(answer.Status) : Keeping.Binding);
            }
        );
        await Answer(context, guarded);
    }

    /// <summary>
    /// Serves one item of a request that has many, under the item's own key. The owner of the request owns its items: locks that an
    /// earlier, dead owner of the request has left on them do not count. So a repeat that is admitted finishes them all.
    /// </summary>
    /// <param name="request">The request's key.</param>
    /// <param name="item">Name of the item within the request.</param>
    /// <param name="content">Content of the item. The key is bound to it.</param>
    /// <param name="serve">
    /// Sends the item under the given key. Runs at most once. Only the status and the body of the returned answer are kept.
    /// </param>
    /// <returns>The item's answer, or a problem: the item is in flight, or the key belongs to another item.</returns>
    /// <exception cref="StoreUnavailableException">The store is away. The item was not sent.</exception>
    public async Task<(StoredAnswer? Answer, Problem? Problem)> RunItem(
        KeyedRequest request,
        string item,
        ReadOnlyMemory<byte> content,
        Func<string, Task<StoredAnswer>> serve
    )
    {
        var key = request.Key + "-" + item;
        return Outcome(
            await Guard(
                IdempotencyKey.Hash(IdempotencyKey.Scope(request.Scope, "item"), IdempotencyKey.Scope(request.Key, item)),
                Convert.ToHexStringLower(SHA256.HashData(content.Span)),
                request.FencingToken,
                async _ =>
                {
                    var answer = await serve(key);
                    return (answer, KeepingOf(answer.Status));
                }
            )
        );
    }

    /// <summary>
    /// Serves one operation of a request with several, under a name that the caller has chosen. It is served once under that name,
    /// whichever request contains it.
    /// </summary>
    /// <param name="caller">The caller that owns the operation.</param>
    /// <param name="id">The caller's name for the operation; see <see cref="IdempotencyKey.IsKey"/>.</param>
    /// <param name="content">Content of the operation. The name is bound to it.</param>
    /// <param name="serve">Sends the operation. Runs at most once. Only the status and the body of the returned answer are kept.</param>
    /// <returns>The operation's answer, or a problem: the operation is in flight, or the name belongs to another operation.</returns>
    /// <exception cref="StoreUnavailableException">The store is away. The operation was not sent.</exception>
    public async Task<(StoredAnswer? Answer, Problem? Problem)> RunOperation(
        Caller caller,
        string id,
        ReadOnlyMemory<byte> content,
        Func<Task<StoredAnswer>> serve
    ) =>
        Outcome(
            await Guard(
                IdempotencyKey.Hash(IdempotencyKey.Scope(IdempotencyKey.ScopeOf(caller, options.Value.Scope), "operation"), id),
                Convert.ToHexStringLower(SHA256.HashData(content.Span)),
                0,
                async _ =>
                {
                    var answer = await serve();
                    return (answer, KeepingOf(answer.Status));
                }
            )
        );

    private async Task<Guarded> Guard(
        string key,
        string fingerprint,
        long whole,
        Func<long, Task<(StoredAnswer Answer, Keeping Keeping)>> serve
    )
    {
        var owner = Guid.NewGuid().ToString("N");
        // Not cancelled with the request, because half a claim would block the key. State:Timeout limits it.
        var claim = await store.Claim(key, fingerprint, owner, whole, CancellationToken.None);
        if (claim.Outcome != ClaimOutcome.Taken)
        {
            return new(claim.Outcome, claim.Answer);
        }

        using var served = new CancellationTokenSource();
        var renewal = KeepLocked(key, owner, served.Token);
        var keeping = Keeping.Binding;
        try
        {
            (var answer, keeping) = await serve(claim.FencingToken);
            if (keeping != Keeping.Answer)
            {
                return new(ClaimOutcome.Taken, answer);
            }

            var earlier = await Complete(key, fingerprint, owner, answer);
            return earlier is null ? new(ClaimOutcome.Taken, answer) : new(ClaimOutcome.Answered, earlier);
        }
        catch (Exception refused) when (ExceptionProblem.Of(refused) is { } problem)
        {
            keeping = KeepingOf(problem.Code.Status);
            throw;
        }
        finally
        {
            await served.CancelAsync();
            await renewal;
            if (keeping != Keeping.Answer)
            {
                await Release(key, owner, keeping == Keeping.Binding);
            }
        }
    }

    private async Task<StoredAnswer?> Complete(string key, string fingerprint, string owner, StoredAnswer answer)
    {
        try
        {
            return await store.Complete(key, fingerprint, owner, answer, CancellationToken.None);
        }
#pragma warning disable CA1031 // The request was served; a failure to store its answer must not change that.
        catch (Exception)
#pragma warning restore CA1031
        {
            LogNotKept(logger); // The lock expires; a repeat is sent to the service under the same key.
            return null;
        }
    }

    private async Task Release(string key, string owner, bool keepFingerprint)
    {
        try
        {
            await store.Release(key, owner, keepFingerprint, CancellationToken.None);
        }
#pragma warning disable CA1031 // As in Complete.
        catch (Exception)
#pragma warning restore CA1031
        {
            LogNotKept(logger);
        }
    }

    private async Task KeepLocked(string key, string owner, CancellationToken served)
    {
        while (true)
        {
            var delay = Task.Delay(options.Value.Lease / 3, time, served);
            await delay.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (served.IsCancellationRequested)
            {
                return;
            }

            var isOurs = true;
            await _renewals.Try(async _ => isOurs = await store.Renew(key, owner, CancellationToken.None), CancellationToken.None);
            if (!isOurs)
            {
                return; // The lock expired and has another owner: the service sees the same key twice.
            }
        }
    }

    private static async Task Answer(HttpContext context, Guarded guarded)
    {
        switch (guarded.Outcome)
        {
            case ClaimOutcome.Mismatch:
                await Mismatch.ExecuteAsync(context);
                return;
            case ClaimOutcome.InFlight:
                await InFlight().ExecuteAsync(context);
                return;
            case ClaimOutcome.Answered:
                await guarded.Answer!.Replay(context);
                return;
            default:
                await guarded.Answer!.WriteBody(context);
                return;
        }
    }

    private static (StoredAnswer? Answer, Problem? Problem) Outcome(Guarded guarded) =>
        guarded.Outcome switch
        {
            ClaimOutcome.InFlight => (null, InFlight()),
            ClaimOutcome.Mismatch => (null, Mismatch),
            _ => (guarded.Answer, null),
        };

    private static Problem InFlight() => new(ProblemCodes.IdempotencyInFlight) { RetryAfter = TimeSpan.FromSeconds(1) };

    /// <summary>Returns the fingerprint of method, path, query and body, to which the key is bound.</summary>
    private static async ValueTask<string> Fingerprint(HttpRequest request, HeldBody body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(
            Encoding.UTF8.GetBytes(IdempotencyKey.Scope(request.Method, request.Path.Value ?? "", request.QueryString.Value ?? ""))
        );
        await body.AppendTo(hash, request.HttpContext.RequestAborted);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static Keeping KeepingOf(int status) =>
        status switch
        {
            400 or 401 or 403 or 405 or 406 or 408 or 409 or 411 or 412 or 413 or 414 or 415 or 417 or 429 or 431 => Keeping.Nothing,
            503 => Keeping.Nothing, // Breaker, bulkhead, overload, store: the service was not called.
            >= 500 => Keeping.Binding,
            _ => Keeping.Answer,
        };

    /// <summary>What is kept of a request after it was served.</summary>
    private enum Keeping
    {
        /// <summary>Nothing: the service has not acted, and the key is free.</summary>
        Nothing,

        /// <summary>The fingerprint: the service may have acted. Only the same request may be sent again under the key.</summary>
        Binding,

        /// <summary>The answer: the service has acted, and every repeat gets this answer.</summary>
        Answer,
    }

    private readonly record struct Guarded(ClaimOutcome Outcome, StoredAnswer? Answer);

    [LoggerMessage(
        1901,
        LogLevel.Warning,
        "The answer to a request with an idempotency key could not be stored; a repeat is sent to the service with the same key",
        EventName = "IdempotentAnswerNotStored"
    )]
    private static partial void LogNotKept(ILogger logger);
}

/// <summary>The request's key, available as a feature of the context while the request is served.</summary>
/// <param name="key">The key without quotes. Sent to the service as <c>Idempotency-Key</c>.</param>
/// <param name="scope">The scope within which the key is unique.</param>
public sealed class KeyedRequest(string key, string scope)
{
    /// <summary>The key without quotes. Sent to the service as <c>Idempotency-Key</c>.</summary>
    public string Key { get; } = key;

    /// <summary>
    /// Whether a repeat gets this answer. False if a repeat is to be served again although the answer is a success, such as that of a batch
    /// with unfinished items.
    /// </summary>
    public bool IsFinal { get; set; } = true;

    internal string Scope { get; } = scope;

    /// <summary>Fencing token of the lock under which the request is served (M. Kleppmann, "How to do distributed locking").</summary>
    internal long FencingToken { get; set; }

    /// <summary>Returns the key of the request that is being served. Null if it has none.</summary>
    public static KeyedRequest? Of(HttpContext context) => context.Features.Get<KeyedRequest>();
}
