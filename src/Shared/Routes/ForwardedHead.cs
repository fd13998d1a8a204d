using Bff.Configuration;
using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Routes;

/// <summary>
/// What of a client's head goes on to a service is bounded: with the gateway's own headers beside it, more could be larger than what the
/// service takes, and over HTTP/2 it would be the call that fails then, which looks like the service's doing.
/// </summary>
internal static class ForwardedHead
{
    /// <summary>Half of what servers take by default: the gateway adds a token and an assertion of identity at most.</summary>
    public const int MaxBytes = 16 * 1024;

    /// <exception cref="ProblemException">431: it is larger.</exception>
    public static void Check(HttpContext context)
    {
        if (BffRequest.Of(context).HeadLength <= MaxBytes)
        {
            return; // No more than all of it goes on.
        }

        var total = 0;
        var forwarded = context.RequestServices.GetRequiredService<Reloadable<ForwardedRequestHeaders>>().Current;
        foreach (var (name, values) in context.Request.Headers)
        {
            total += forwarded.Contains(name) ? HeadLength.Of(name, values) : 0;
        }

        if (total > MaxBytes)
        {
            throw new ProblemException(new Problem(ProblemCodes.HeadersTooLarge));
        }
    }
}
