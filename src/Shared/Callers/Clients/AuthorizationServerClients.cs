using Microsoft.Extensions.DependencyInjection;

namespace Bff.Callers.Clients;

/// <summary>Clients for documents and tokens of authorization servers.</summary>
internal static class AuthorizationServerClients
{
    // Discovery documents, key sets and token responses have some kibibytes.
    private const int MaxBytes = 1 << 20;

    /// <summary>
    /// A client that follows no redirect, which could lead a secret elsewhere, keeps no cookie, reads at most 1 MiB and logs no address,
    /// which could hold a code.
    /// </summary>
    /// <param name="services">Of the host.</param>
    /// <param name="name">Of the client.</param>
    /// <param name="timeout">Of a whole request; <see cref="Timeout.InfiniteTimeSpan"/> where each request has its own.</param>
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
