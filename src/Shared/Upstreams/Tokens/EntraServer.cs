using System.Security.Claims;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Identity.Abstractions;
using Microsoft.Identity.Client;
using Microsoft.Identity.Web;
using Microsoft.Identity.Web.TokenCacheProviders.InMemory;
using Microsoft.IdentityModel.JsonWebTokens;

namespace Bff.Upstreams.Tokens;

/// <summary>
/// Gets tokens from Entra ID through Microsoft.Identity.Web, which supports certificates, managed identities and federated credentials.
/// Caching for the gateway's calls, single-flight and early renewal stay with <see cref="TokenTarget"/>.
/// </summary>
internal sealed class EntraServer : IAuthorizationServer
{
    private const long MaxCacheBytes = 32 << 20;
    private static readonly TimeSpan CacheLife = TimeSpan.FromMinutes(10);

    private static readonly JsonWebTokenHandler Reader = new();

    private readonly ITokenAcquirer _acquirer;

    /// <param name="registration">The gateway's registration at Entra.</param>
    /// <param name="clients">Creates the clients for token endpoints.</param>
    public EntraServer(ClientRegistration registration, IHttpClientFactory clients)
    {
        // Uses a container of its own: the package registers some fifty services, of which this class needs one.
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddTokenAcquisition(isTokenAcquisitionSingleton: true);
        services.AddInMemoryTokenCaches();
        services.Configure<MsalMemoryTokenCacheOptions>(cache => cache.AbsoluteExpirationRelativeToNow = CacheLife);
        services.Configure<MemoryCacheOptions>(memory => memory.SizeLimit = MaxCacheBytes);
        services.AddSingleton<IHttpClientFactory>(new TokenEndpointClients(clients));
        _acquirer = services
            .BuildServiceProvider()
            .GetRequiredService<ITokenAcquirerFactory>()
            .GetTokenAcquirer(
                new MicrosoftIdentityApplicationOptions
                {
                    Authority = registration.Authority!.AbsoluteUri,
                    ClientId = registration.ClientId,
                    ClientCredentials = EntraCredentials.Of(registration),
                }
            );
    }

    /// <inheritdoc />
    public async Task<TokenGrant> Ask(TokenOptions wanted, string? subject, bool afterRefusal, CancellationToken cancellation)
    {
        if (subject is not null && !Reader.CanReadToken(subject))
        {
            return TokenGrant.Refused("invalid_grant"); // Entra's tokens are JSON Web Tokens.
        }

        var options = new AcquireTokenOptions { ForceRefresh = afterRefusal };
        try
        {
            var answer = subject is null
                ? await _acquirer.GetTokenForAppAsync(wanted.Scope!, options, cancellation)
                : await _acquirer.GetTokenForUserAsync(wanted.Scope!.Split(' '), options, BearerOf(subject), cancellation);
            return TokenGrant.Of(answer.AccessToken, answer.ExpiresOn - TimeProvider.System.GetUtcNow());
        }
        catch (MicrosoftIdentityWebChallengeUserException challenge)
        {
            return TokenGrant.Refused(challenge.MsalUiRequiredException.ErrorCode);
        }
        catch (MsalServiceException refused) when (refused.StatusCode is 400 or 401 or 403)
        {
            return TokenGrant.Refused(refused.ErrorCode);
        }
    }

    /// <summary>Returns the caller in the form that the package expects, with the token to exchange.</summary>
    private static ClaimsPrincipal BearerOf(string token) => new(new ClaimsIdentity { BootstrapContext = new JsonWebToken(token) });

    private sealed class TokenEndpointClients(IHttpClientFactory clients) : IHttpClientFactory
    {
        public HttpClient CreateClient(string name) => clients.CreateClient(TokenEndpoint.HttpName);
    }
}
