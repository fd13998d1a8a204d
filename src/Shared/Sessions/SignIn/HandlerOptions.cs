using System.Net.Http.Headers;
using Bff.Configuration;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Bff.Sessions.SignIn;

/// <summary>
/// The options of the framework's handler, made from the current <c>Session</c> settings, so that a change applies from the next request
/// on.
/// </summary>
internal sealed class HandlerOptions(
    Reloadable<SessionSettings> settings,
    SessionSite site,
    ProviderMetadata metadata,
    IdTokens tokens,
    LoginStates states,
    IHttpClientFactory clients
) : IOptionsMonitor<OpenIdConnectOptions>
{
    private readonly Lazy<HttpClient> _backchannel = new(() =>
    {
        var client = clients.CreateClient(ProviderClient.HttpName); // Has this host's limits for time and size.
        client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        return client;
    });

    private Made? _made;

    private sealed record Made(SessionSettings Of, OpenIdConnectOptions Options);

    /// <inheritdoc />
    public OpenIdConnectOptions CurrentValue
    {
        get
        {
            var current = settings.Current;
            var made = Volatile.Read(ref _made);
            if (made?.Of != current)
            {
                Volatile.Write(ref _made, made = new(current, Make(current)));
            }

            return made.Options;
        }
    }

    /// <inheritdoc />
    public OpenIdConnectOptions Get(string? name) => CurrentValue;

    /// <inheritdoc />
    public IDisposable? OnChange(Action<OpenIdConnectOptions, string?> listener) => null;

    private OpenIdConnectOptions Make(SessionSettings current)
    {
        var options = new OpenIdConnectOptions
        {
            ClientId = current.ClientId, // There is no secret here: ProviderClient authenticates the client.
            CallbackPath = site.Prefix + "/callback",
            ResponseType = OpenIdConnectResponseType.Code,
            ResponseMode = OpenIdConnectResponseMode.Query,
            PushedAuthorizationBehavior = current.PushedAuthorization switch
            {
                PushedAuthorization.Require => PushedAuthorizationBehavior.Require,
                PushedAuthorization.Off => PushedAuthorizationBehavior.Disable,
                _ => PushedAuthorizationBehavior.UseIfAvailable,
            },
            GetClaimsFromUserInfoEndpoint = true, // SignInHandler decides whether to ask, by what the id_token lacks.
            ConfigurationManager = metadata,
            RefreshOnIssuerKeyNotFound = false, // ProviderTokens does that, and verifies again at once.
            Backchannel = _backchannel.Value,
            TokenHandler = tokens,
            ProtocolValidator = ProviderTokens.Protocol,
            StateDataFormat = states,
            EventsType = typeof(SignInEvents),
            DisableTelemetry = true,
        };
        options.ClaimActions.Clear();
        options.Scope.Clear();
        foreach (var scope in current.Scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            options.Scope.Add(scope);
        }

        foreach (var (name, value) in current.AuthorizeParameters)
        {
            options.AdditionalAuthorizationParameters[name] = value;
        }

        return options;
    }
}
