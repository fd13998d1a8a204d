using Bff.Configuration;
using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Routes;

/// <summary>
/// Limits the size of the client's headers that are forwarded. Together with the gateway's own headers, more could exceed the service's
/// limit; over HTTP/2 the call would then fail as if the service were at fault.
/// </summary>
internal static class ForwardedHead
{
    /// <summary>Half of the usual default limit of servers; the gateway adds at most a token and an identity assertion.</summary>
    public const int MaxBytes = 16 * 1024;

    /// <exception cref="ProblemException">431: the headers are larger.</exception>
    public static void Check(HttpContext context)
    {
        if (BffRequest.Of(context).HeadLength <= MaxBytes)
        {
            return; // The forwarded headers cannot be larger than all of them.
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
