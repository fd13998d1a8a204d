using System.Globalization;

namespace Bff.Dev.IdentityProvider;

/// <summary>Why a request was refused. Without an address to return to, the user is shown the error (RFC 6749, section 4.1.2.1).</summary>
internal sealed record AuthorizationError(string Code, string Description, string? RedirectUri = null, string? State = null);

/// <summary>A checked request of the authorization endpoint.</summary>
internal sealed record AuthorizationRequest
{
    public required string ClientId { get; init; }
    public required DevelopmentClient Client { get; init; }
    public required string RedirectUri { get; init; }
    public required string[] Scopes { get; init; }
    public required string Challenge { get; init; }
    public string? State { get; init; }
    public string? Nonce { get; init; }
    public string? LoginHint { get; init; }
    public string[] Prompt { get; init; } = [];
    public TimeSpan? MaxAge { get; init; }

    public static (AuthorizationRequest? Request, AuthorizationError? Error) Read(Parameters asked, IdentityProviderOptions options)
    {
        if (asked["client_id"] is not { } clientId || !options.Clients.TryGetValue(clientId, out var client))
            return (null, new AuthorizationError("invalid_client", "This client is not registered."));
        if (asked["redirect_uri"] is not { } redirectUri || !RedirectUris.Allow(client.RedirectUris, redirectUri))
            return (null, new AuthorizationError("invalid_request", "This redirect_uri is not registered for the client."));

        (AuthorizationRequest?, AuthorizationError?) Refuse(string code, string description) =>
            (null, new AuthorizationError(code, description, redirectUri, asked["state"]));

        if (asked.Repeated)
            return Refuse("invalid_request", "A parameter is given more than once.");
        if (!client.GrantTypes.Contains(GrantType.Code))
            return Refuse("unauthorized_client", "The client may not use the code flow.");
        if (asked["response_type"] != "code")
            return Refuse("unsupported_response_type", "Only response_type=code is served.");
        if (asked["response_mode"] is not (null or "query"))
            return Refuse("invalid_request", "Only response_mode=query is served.");
        if (asked["request"] is not null)
            return Refuse("request_not_supported", "Request objects are not served.");
        if (asked["code_challenge"] is not { Length: 43 } challenge || asked["code_challenge_method"] != "S256")
            return Refuse("invalid_request", "PKCE with code_challenge_method=S256 is required.");

        var prompt = asked["prompt"]?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        if (prompt.Contains("none") && prompt.Length > 1)
            return Refuse("invalid_request", "prompt=none stands alone.");

        return (
            new AuthorizationRequest
            {
                ClientId = clientId,
                Client = client,
                RedirectUri = redirectUri,
                Scopes = Granted(asked["scope"], client),
                Challenge = challenge,
                State = asked["state"],
                Nonce = asked["nonce"],
                LoginHint = asked["login_hint"],
                Prompt = prompt,
                MaxAge = int.TryParse(asked["max_age"], NumberStyles.None, CultureInfo.InvariantCulture, out var age)
                    ? TimeSpan.FromSeconds(age)
                    : null,
            },
            null
        );
    }

    // "api" belongs to every user of the gateways. Scopes that the client may not have are left out, as RFC 6749, section 3.3 allows.
    private static string[] Granted(string? asked, DevelopmentClient client) =>
        [.. (asked ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Append("api").Where(client.Scopes.Contains).Distinct()];
}
