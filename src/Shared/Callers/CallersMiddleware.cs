using Bff.Callers.Life;
using Bff.Callers.Revoked;
using Bff.Requests;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;

namespace Bff.Callers;

/// <summary>
/// Stage 2. Authenticates the caller and checks that the endpoint admits the caller. 1. Ask each source for a credential. Skip this when
/// the client's address has sent too many bad credentials and this one is not remembered as good. 2. Refuse a revoked credential. 3. Let a
/// request to an anonymous endpoint pass, without a caller when its credential is bad. 4. Let a request for something that does not exist
/// pass, unless its credential is bad. 5. Require a caller on every other endpoint. 6. Check the endpoint's scope or role. 7. End the
/// response to a known caller when the credential ends, however long the response is.
/// </summary>
internal sealed class CallersMiddleware(
    RequestDelegate next,
    IEnumerable<ICallerSource> sources,
    Revocations revocations,
    CallerLives lives,
    CallerMetrics metrics,
    IFailedCredentials? failures = null
)
{
    private readonly ICallerSource[] _sources = [.. sources];

    public Task InvokeAsync(HttpContext context)
    {
        var endpoint = context.GetEndpoint()!; // Where no endpoint matched, RoutingRefusalsMiddleware has set one.
        if (failures is { IsAnyWaiting: true } && IsUnknown(context) && failures.Wait(context.Connection.RemoteIpAddress) is { } wait)
        {
            return Decide(context, endpoint, new(null, new Problem(ProblemCodes.TooManyFailedCredentials) { RetryAfter = wait }), null, 0);
        }

        var changes = lives.Changes;
        for (var i = 0; i < _sources.Length; i++)
        {
            var resolving = _sources[i].Resolve(context);
            if (!resolving.IsCompletedSuccessfully)
            {
                return Await(context, endpoint, i, resolving, changes);
            }

            var result = resolving.Result;
            if (!result.IsNone)
            {
                return Decide(context, endpoint, result, _sources[i], changes);
            }
        }

        return Decide(context, endpoint, CallerResult.None, null, changes);
    }

    private async Task Await(HttpContext context, Endpoint endpoint, int index, ValueTask<CallerResult> resolving, int changes)
    {
        var result = await resolving;
        while (result.IsNone && ++index < _sources.Length)
        {
            result = await _sources[index].Resolve(context);
        }

        await Decide(context, endpoint, result, result.IsNone ? null : _sources[index], changes);
    }

    private Task Decide(HttpContext context, Endpoint endpoint, CallerResult result, ICallerSource? source, int changes)
    {
        if (result.Caller is { } found && revocations.Check(found) is { } revoked)
        {
            result = new CallerResult(null, revoked);
        }

        if (result.Refusal is { } refused)
        {
            Count(context, refused.Code);
        }

        var isAnonymous = endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null;
        if (result.Caller is { } caller)
        {
            var request = BffRequest.Of(context);
            request.Caller = caller;
            request.Token = source!.TokenOf(context);
            return isAnonymous || Refusal(context, endpoint, caller) is not { } refusal
                ? Serve(context, caller, changes)
                : refusal.ExecuteAsync(context);
        }

        if (isAnonymous || (result.IsNone && endpoint.Metadata.GetMetadata<NothingThere>() is not null))
        {
            return next(context);
        }

        var problem = result.Refusal ?? new Problem(ProblemCodes.MissingToken);
        if (problem.Code.Status == StatusCodes.Status401Unauthorized)
        {
            if (endpoint.Metadata.GetMetadata<AnonymousAnswer>()?.Of(context) is { } answer)
            {
                return answer.ExecuteAsync(context);
            }

            Challenge(context, problem.Code, source);
        }

        return problem.ExecuteAsync(context);
    }

    /// <summary>Whether the credential is not remembered as good. The first source that finds its credential decides.</summary>
    private bool IsUnknown(HttpContext context)
    {
        foreach (var source in _sources)
        {
            if (source.IsKnown(context) is { } isKnown)
            {
                return !isKnown;
            }
        }

        return false;
    }

    /// <summary>Counts a refused credential. One that has expired or was revoked was once good, so the address is not blamed.</summary>
    private void Count(HttpContext context, ProblemCode code)
    {
        if (code.Status >= StatusCodes.Status500InternalServerError)
        {
            return; // The credential could not be checked.
        }

        metrics.Count(code.Code);
        if (code == ProblemCodes.InvalidToken || code == ProblemCodes.InvalidApiKey)
        {
            failures?.Count(context.Connection.RemoteIpAddress);
        }
    }

    private async Task Serve(HttpContext context, Caller caller, int changes)
    {
        using var life = lives.Begin(context, caller, changes);
        await next(context);
    }

    private static Problem? Refusal(HttpContext context, Endpoint endpoint, Caller caller)
    {
        var rules = endpoint.Metadata.GetOrderedMetadata<CallerRule>();
        if (rules.Count == 0)
        {
            return new Problem(ProblemCodes.Forbidden);
        }

        for (var i = 0; i < rules.Count; i++)
        {
            var rule = rules[i];
            if (rule.Scope is { } scope && !caller.HasScope(scope))
            {
                if (caller.Kind == CallerKind.Token)
                {
                    context.Response.Headers.WWWAuthenticate = $"Bearer error=\"insufficient_scope\", scope=\"{scope}\"";
                }

                return new Problem(ProblemCodes.InsufficientScope)
                {
                    Detail = $"The credential lacks the scope '{scope}'. Use a credential with this scope.",
                };
            }

            if ((rule.Role is { } role && !caller.IsInRole(role)) || (rule.Kind is { } kind && caller.Kind != kind))
            {
                return new Problem(ProblemCodes.Forbidden);
            }
        }

        return null;
    }

    /// <summary>Adds the challenges (RFC 6750 section 3): the scheme alone, or with the error of a refused credential.</summary>
    private void Challenge(HttpContext context, ProblemCode code, ICallerSource? refusedBy)
    {
        foreach (var source in _sources)
        {
            if (source.Challenge is { } challenge)
            {
                var separator = challenge.Contains(' ', StringComparison.Ordinal) ? ", " : " ";
                context.Response.Headers.Append(
                    "WWW-Authenticate",
                    source == refusedBy ? $"{challenge}{separator}error=\"invalid_token\", error_description=\"{code.Title}\"" : challenge
                );
            }
        }
    }
}
