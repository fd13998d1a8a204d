namespace Bff.Dev.IdentityProvider;

/// <summary>The result of notifying one client; without a status if it did not answer.</summary>
public sealed record BackchannelDelivery(string ClientId, int? StatusCode);

/// <summary>OpenID Connect Back-Channel Logout 1.0: sends one POST to each client of the session, once, within a time limit.</summary>
internal sealed class BackchannelLogout(IdentityProviderOptions options, TokenFactory tokens) : IDisposable
{
    private readonly HttpClient http = new(
        new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
        }
    );

    public async Task<BackchannelDelivery[]> SendAsync(SsoSession session, CancellationToken cancellation) =>
        await Task.WhenAll(
            session
                .Clients()
                .Where(clientId => options.Clients.GetValueOrDefault(clientId)?.BackchannelLogoutUri is not null)
                .Select(clientId =>
                    SendAsync(
                        clientId,
                        tokens.LogoutToken(clientId, session.User.Subject, session.Sid, TokenFlaw.None, change: null),
                        cancellation
                    )
                )
        );

    public async Task<BackchannelDelivery> SendAsync(string clientId, string logoutToken, CancellationToken cancellation)
    {
        if (options.Clients.GetValueOrDefault(clientId)?.BackchannelLogoutUri is not { } address)
            return new BackchannelDelivery(clientId, null);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(options.BackchannelTimeout);
        try
        {
            using var form = new FormUrlEncodedContent([KeyValuePair.Create("logout_token", logoutToken)]);
            using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = form };
            using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            return new BackchannelDelivery(clientId, (int)answer.StatusCode);
        }
        catch (Exception exception)
            when (exception is HttpRequestException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            return new BackchannelDelivery(clientId, null);
        }
    }

    public void Dispose() => http.Dispose();
}
