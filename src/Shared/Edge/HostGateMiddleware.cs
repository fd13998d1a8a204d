using Bff.Configuration;
using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Edge;

/// <summary>
/// Refuses requests for hosts other than those in <c>AllowedHosts</c>, after forwarded headers of trusted proxies have been applied. It
/// does what the framework's host filtering does, but responds with a problem.
/// </summary>
internal sealed class HostGateMiddleware(RequestDelegate next, Reloadable<EdgeSettings> settings)
{
    public Task InvokeAsync(HttpContext context)
    {
        var allowed = settings.Current.AllowedHosts;
        if (allowed.Length == 0 || IsAllowed(allowed, context.Request.Host.Value))
        {
            return next(context);
        }

        context.Request.Host = new HostString(allowed[0].TrimStart('*', '.')); // No link is built from a foreign name.
        return ProblemWriter.Write(
            context,
            new Problem(ProblemCodes.MalformedRequest)
            {
                Detail = "This API is not served under the host name of the request. Check the address.",
            }
        );
    }

    private static bool IsAllowed(string[] allowed, string? host)
    {
        var name = WithoutPort(host);
        foreach (var pattern in allowed)
        {
            if (
                pattern.StartsWith("*.", StringComparison.Ordinal)
                    ? name.Length > pattern.Length - 1 && name.EndsWith(pattern.AsSpan(1), StringComparison.OrdinalIgnoreCase)
                    : name.Equals(pattern, StringComparison.OrdinalIgnoreCase)
            )
            {
                return true;
            }
        }

        return false;
    }

    private static ReadOnlySpan<char> WithoutPort(ReadOnlySpan<char> host)
    {
        var colon = host.LastIndexOf(':');
        return colon >= 0 && host[(colon + 1)..].IndexOf(']') < 0 ? host[..colon] : host;
    }
}
