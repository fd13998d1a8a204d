using System.Globalization;
using System.Text.Json;
using Bff.Callers.Clients;
using Duende.IdentityModel;
using Duende.IdentityModel.Client;

namespace Bff.Upstreams.Tokens;

/// <summary>
/// Gets tokens from any authorization server: client credentials (RFC 6749), token exchange (RFC 8693), and Entra's on-behalf-of as a
/// further grant.
/// </summary>
internal sealed class OAuthServer(ClientRegistration registration, IHttpClientFactory clients, TimeProvider time) : IAuthorizationServer
{
    private static readonly TimeSpan LifeUnsaid = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan DiscoveryFresh = TimeSpan.FromMinutes(10);

    private readonly ClientKey? _key = registration.LoadKey();
    private (Uri Address, long ReadAt)? _discovered;

    /// <inheritdoc />
    public async Task<TokenGrant> Ask(TokenOptions wanted, string? subject, bool afterRefusal, CancellationToken cancellation)
    {
        using var http = clients.CreateClient(TokenEndpoint.HttpName);
        var address = registration.TokenEndpoint ?? await Discover(http, cancellation);
        using var request = new TokenRequest { Address = address.AbsoluteUri, GrantType = Grant(wanted, subject) }.From(
            registration.ClientId,
            registration.ClientSecret,
            registration.ClientAuthentication,
            _key is null ? null : () => _key.Assertion(registration.ClientId, address.AbsoluteUri, time)
        );
        Fill(request.Parameters, wanted, subject);
        var answer = await http.RequestTokenAsync(request, cancellation);
        cancellation.ThrowIfCancellationRequested();
        if (answer.ErrorType == ResponseErrorType.Exception)
        {
            _discovered = null; // The endpoint may have moved.
            throw answer.Exception ?? new HttpRequestException("The token endpoint did not answer.");
        }

        return Read(answer);
    }

    private static string Grant(TokenOptions wanted, string? subject) =>
        subject is null ? OidcConstants.GrantTypes.ClientCredentials
        : wanted.Mode == TokenMode.OnBehalfOf ? OidcConstants.GrantTypes.JwtBearer
        : OidcConstants.GrantTypes.TokenExchange;

    private static void Fill(Parameters form, TokenOptions wanted, string? subject)
    {
        if (subject is not null && wanted.Mode == TokenMode.OnBehalfOf)
        {
            form.Add("assertion", subject);
            form.Add("requested_token_use", "on_behalf_of");
        }
        else if (subject is not null)
        {
            form.Add("subject_token", subject);
            form.Add("subject_token_type", OidcConstants.TokenTypeIdentifiers.AccessToken);
            form.Add("requested_token_type", OidcConstants.TokenTypeIdentifiers.AccessToken);
        }

        Add("scope", wanted.Scope);
        Add("resource", wanted.Resource);
        Add("audience", wanted.Audience);

        void Add(string name, string? value)
        {
            if (!string.IsNullOrEmpty(value))
            {
                form.Add(name, value);
            }
        }
    }

    private static TokenGrant Read(TokenResponse answer)
    {
        if (!answer.IsError)
        {
            return string.Equals(answer.TokenType, "Bearer", StringComparison.OrdinalIgnoreCase)
                ? TokenGrant.Of(answer.AccessToken, Life(answer.Json))
                : default;
        }

        return ClientRequests.ErrorOf(answer) is { } error ? TokenGrant.Refused(error) : default;
    }

    /// <summary>Returns the lifetime. Zero counts: such a token is used once. Text is accepted too, because some servers send it.</summary>
    private static TimeSpan Life(JsonElement? json)
    {
        if (json is not { ValueKind: JsonValueKind.Object } answer || !answer.TryGetProperty("expires_in", out var value))
        {
            return LifeUnsaid;
        }

        var isRead = value.ValueKind switch
        {
            JsonValueKind.Number => value.TryGetDouble(out var number) ? number : double.NaN,
            JsonValueKind.String => double.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var text)
                ? text
                : double.NaN,
            _ => double.NaN,
        };
        return isRead is >= 0 and < 1e9 ? TimeSpan.FromSeconds(isRead)
            : isRead < 0 ? TimeSpan.Zero
            : LifeUnsaid;
    }

    private async Task<Uri> Discover(HttpClient http, CancellationToken cancellation)
    {
        if (_discovered is { } known && time.GetElapsedTime(known.ReadAt) < DiscoveryFresh)
        {
            return known.Address;
        }

        try
        {
            var document = await http.ReadDiscovery(
                new(registration.Authority!.AbsoluteUri.TrimEnd('/') + "/.well-known/openid-configuration"),
                cancellation
            );
            var address = document.Address("token_endpoint", registration.RequireHttpsMetadata);
            _discovered = (address, time.GetTimestamp());
            return address;
        }
        catch (Exception failed) when (_discovered is not null && failed is HttpRequestException or JsonException or InvalidDataException)
        {
            return _discovered!.Value.Address; // The last known address is used while discovery fails.
        }
    }
}
