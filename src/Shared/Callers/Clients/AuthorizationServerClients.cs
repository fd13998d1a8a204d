using Microsoft.Extensions.DependencyInjection;

namespace Bff.Callers.Clients;

/// <summary>Registers HTTP clients that fetch documents and tokens from authorization servers.</summary>
internal static class AuthorizationServerClients
{
    // Discovery documents, key sets and token responses are a few kibibytes long.
    private const int MaxBytes = 1 << 20;

    /// <summary>
    /// Adds a client that reads at most 1 MiB and keeps no cookies. It follows no redirects, which could send a secret elsewhere, and logs
    /// no addresses, which could contain a code.
    /// </summary>
    /// <param name="services">The host's services.</param>
    /// <param name="name">The client's name.</param>
    /// <param name="timeout">Timeout of a whole request; <see cref="Timeout.InfiniteTimeSpan"/> where each request sets its own.</param>
    public static void AddAuthorizationServerClient(this IServiceCollection services, string name, TimeSpan timeout) =>
        services
            .AddHttpClient(
                name,
                client =>
                {
                    client.Timeout = timeout;
                    client.MaxResponseContentBufferSize = MaxBytes;
                }
            )
            .ConfigurePrimaryHttpMessageHandler(() =>
                new SocketsHttpHandler
                {
                    AllowAutoRedirect = false,
                    UseCookies = false,
                    ConnectTimeout = TimeSpan.FromSeconds(2),
                    PooledConnectionLifetime = TimeSpan.FromMinutes(5),
                }
            )
            .RemoveAllLoggers();
}
