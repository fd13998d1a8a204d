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
/// Serves a keyed write once (draft-ietf-httpapi-idempotency-key-header):
/// 1. read key and body; 2. lock the key in the store (409 while a copy runs, 422 for another request, the stored answer when there is one;
/// 503 while the store is away: nothing is sent unguarded); 3. serve, renewing the lock; 4. store the answer, or give the key back; 5.
/// answer. Who dies between 2 and 4 leaves a lock that runs out: the next copy goes to the service under the same key, by which the service
/// tells.
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

    /// <summary>Serves the request under its key; buffers the answer.</summary>
    /// <param name="context">The request; its body is read here and can be read again.</param>
    /// <param name="isRequired">400 <c>idempotency_key_required</c> when there is no key; otherwise a request without one is simply
    /// served.</param>
    /// <param name="serve">Writes the answer to the response; runs at most once.</param>
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
    /// Serves one item of a request that has many, under a key of its own. Who has the request has its items: what an earlier, dead owner
    /// of the request has locked of them is free, so that a repeat which is let in finishes them all.
    /// </summary>
    /// <param name="request">The request's key.</param>
    /// <param name="item">Names the item within the request.</param>
    /// <param name="content">What the item is; the key is bound to it.</param>
    /// <param name="serve">Sends it under the given key; runs at most once. Only the status and the body of what it returns are
    /// kept.</param>
    /// <returns>The item's answer, or the problem: in flight, another item under the key.</returns>
    /// <exception cref="StoreUnavailableException">The store is away; the item was not sent.</exception>
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
    /// Serves an operation that a caller names itself, among others of one request: once under that name, whatever request it comes with.
    /// </summary>
    /// <param name="caller">Whose operation it is.</param>
    /// <param name="id">The caller's name for it; see <see cref="IdempotencyKey.IsKey"/>.</param>
    /// <param name="content">What the operation is; the name is bound to it.</param>
    /// <param name="serve">Sends it; runs at most once. Only the status and the body of what it returns are kept.</param>
    /// <returns>The operation's answer, or the problem: in flight, another operation under the name.</returns>
    /// <exception cref="StoreUnavailableException">The store is away; the operation was not sent.</exception>
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
        // Bounded by State:Timeout; half a claim would block the key.
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
#pragma warning disable CA1031 // The answer was served; nothing may stand in its way.
        catch (Exception)
#pragma warning restore CA1031
        {
            LogNotKept(logger); // The lock runs out; a repeat goes to the service under the same key.
            return null;
        }
    }

    private async Task Release(string key, string owner, bool keepFingerprint)
    {
        try
        {
            await store.Release(key, owner, keepFingerprint, CancellationToken.None);
        }
#pragma warning disable CA1031 // The same.
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
                return; // It ran out and is another's: the service sees the same key twice.
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

    /// <summary>The key belongs to this method, path, query and body.</summary>
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
            503 => Keeping.Nothing, // Breaker, bulkhead, overload, store: the service was not asked.
            >= 500 => Keeping.Binding,
            _ => Keeping.Answer,
        };

    /// <summary>What stays of a request once it is served.</summary>
    private enum Keeping
    {
        /// <summary>The service has not acted: the key is free.</summary>
        Nothing,

        /// <summary>It may have acted: the same request, and no other, may be sent again under the key.</summary>
        Binding,

        /// <summary>It has acted, and every repeat gets this answer.</summary>
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

/// <summary>The request's key, as a feature of the context while it is served.</summary>
/// <param name="key">Without quotes; goes to the service as <c>Idempotency-Key</c>.</param>
/// <param name="scope">Among whose requests it is unique.</param>
public sealed class KeyedRequest(string key, string scope)
{
    /// <summary>Without quotes; goes to the service as <c>Idempotency-Key</c>.</summary>
    public string Key { get; } = key;

    /// <summary>False when a repeat is to be served again although this answer is a success: a batch with unfinished items.</summary>
    public bool IsFinal { get; set; } = true;

    internal string Scope { get; } = scope;

    /// <summary>Of the lock under which the request is served (M. Kleppmann, "How to do distributed locking").</summary>
    internal long FencingToken { get; set; }

    /// <summary>Of the request that is being served; null when it has no key.</summary>
    public static KeyedRequest? Of(HttpContext context) => context.Features.Get<KeyedRequest>();
}
