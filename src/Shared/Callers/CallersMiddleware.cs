using Bff.Edge;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Bff.Callers;

/// <summary>
/// Stage 2. Decides who is calling and whether the endpoint admits them:
/// 1. ask each source for its credential; 2. no endpoint of ours: nothing to guard (404, 405 or 415 follows); 3. anonymous endpoints go on;
/// 4. everything else needs a caller; 5. and the endpoint's scope or role.
/// </summary>
internal sealed class CallersMiddleware(RequestDelegate next, IEnumerable<ICallerSource> sources)
{
    private readonly ICallerSource[] _sources = [.. sources];

    public async Task InvokeAsync(HttpContext context)
    {
        var endpoint = context.GetEndpoint();
        if (endpoint is not RouteEndpoint)
        {
            await next(context);
            return;
        }

        var anonymousAllowed = endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null;
        var result = CallerResult.None;
        foreach (var source in _sources)
        {
            result = await source.Resolve(context);
            if (!result.IsNone)
            {
                break;
            }
        }

        if (result.Caller is { } caller)
        {
            BffRequest.Of(context).Caller = caller;
            if (!anonymousAllowed && Refusal(endpoint, caller) is { } refusal)
            {
                await refusal.ExecuteAsync(context);
                return;
            }
        }
        else if (!anonymousAllowed || result.Refusal is not null)
        {
            var problem = result.Refusal ?? new Problem(ProblemCodes.MissingToken);
            Challenge(context, problem.Code);
            await problem.ExecuteAsync(context);
            return;
        }

        await next(context);
    }

    private static Problem? Refusal(Endpoint endpoint, Caller caller)
    {
        var rules = endpoint.Metadata.GetOrderedMetadata<CallerRule>();
        if (rules.Count == 0)
        {
            return new Problem(ProblemCodes.Forbidden);
        }

        foreach (var rule in rules)
        {
            if (rule.Scope is { } scope && !caller.HasScope(scope))
            {
                return new Problem(ProblemCodes.InsufficientScope) { Detail = $"The credential lacks the scope '{scope}'." };
            }

            if (rule.Role is { } role && !caller.IsInRole(role))
            {
                return new Problem(ProblemCodes.Forbidden);
            }
        }

        return null;
    }

    private void Challenge(HttpContext context, ProblemCode code)
    {
        foreach (var source in _sources)
        {
            if (source.Challenge is { } challenge)
            {
                context.Response.Headers.Append(
                    "WWW-Authenticate", code == ProblemCodes.MissingToken ? challenge : $"{challenge} error=\"invalid_token\"");
            }
        }
    }
}
