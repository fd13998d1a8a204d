using Bff.Configuration;
using Bff.Requests;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Bff.Sessions.SignIn;

/// <summary>
/// Where a browser goes to sign in: the parameters in the address, or pushed to the provider first (RFC 9126) and named by what it answers.
/// </summary>
internal sealed partial class AuthorizationAddress(ProviderClient provider, Reloadable<SessionSettings> settings, ILogger<AuthorizationAddress> logger)
{
    private const int MaxValueLength = 512;

    /// <exception cref="ProblemException">503 <c>upstream_unavailable</c>: the provider takes no pushed request.</exception>
    public async Task<string> Of(OpenIdConnectConfiguration configuration, Dictionary<string, string?> parameters, CancellationToken cancellation)
    {
        var current = settings.Current;
        var endpoint = configuration.PushedAuthorizationRequestEndpoint;
        if (current.PushedAuthorization == PushedAuthorization.Off || (string.IsNullOrEmpty(endpoint) && current.PushedAuthorization == PushedAuthorization.Auto))
        {
            return QueryHelpers.AddQueryString(configuration.AuthorizationEndpoint, parameters);
        }

        if (string.IsNullOrEmpty(endpoint) || await provider.Push(endpoint, parameters, cancellation) is not { } requestUri)
        {
            if (string.IsNullOrEmpty(endpoint))
            {
                LogNotOffered(logger);
            }

            throw new ProblemException(new Problem(ProblemCodes.UpstreamUnavailable)
            {
                Detail = "The identity provider does not take the sign-in.", RetryAfter = TimeSpan.FromSeconds(2),
            });
        }

        return QueryHelpers.AddQueryString(configuration.AuthorizationEndpoint, new Dictionary<string, string?> { ["client_id"] = current.ClientId, ["request_uri"] = requestUri });
    }

    /// <summary>What the browser's own address may add; the name of a parameter that is not as it must be, else null.</summary>
    public static string? Add(Dictionary<string, string?> parameters, IQueryCollection query, SessionSettings settings)
    {
        foreach (var (name, value) in settings.AuthorizeParameters)
        {
            parameters[name] = value;
        }

        foreach (var name in settings.LoginParameters)
        {
            var values = query[name];
            if (values.Count == 0)
            {
                continue;
            }

            if (values is not [{ Length: > 0 and <= MaxValueLength } value] || value.Any(char.IsControl))
            {
                return name;
            }

            parameters[name] = value;
        }

        return null;
    }

    [LoggerMessage(LogLevel.Error, "Session:PushedAuthorization is Require, and the identity provider's discovery names no pushed_authorization_request_endpoint; nobody can sign in")]
    private static partial void LogNotOffered(ILogger logger);
}
