using System.Text.Json.Nodes;

namespace Bff.Dev.IdentityProvider;

/// <summary>Serves OpenID Connect Discovery 1.0 and the key set (RFC 7517).</summary>
internal static class Discovery
{
    public static void Map(IEndpointRouteBuilder routes, DevelopmentIdentityProvider provider)
    {
        routes.MapGet(
            "/.well-known/openid-configuration",
            provider.Endpoint(IdentityEndpoint.Discovery, context => Answer.Json(context, Document(provider.Authority)))
        );
        routes.MapGet(
            "/.well-known/jwks.json",
            provider.Endpoint(IdentityEndpoint.Jwks, context => Answer.Json(context, provider.Keys.Jwks()))
        );
    }

    private static JsonObject Document(string issuer) =>
        new()
        {
            ["issuer"] = issuer,
            ["authorization_endpoint"] = issuer + "/authorize",
            ["token_endpoint"] = issuer + "/token",
            ["introspection_endpoint"] = issuer + "/introspect",
            ["revocation_endpoint"] = issuer + "/revoke",
            ["userinfo_endpoint"] = issuer + "/userinfo",
            ["end_session_endpoint"] = issuer + "/end-session",
            ["jwks_uri"] = issuer + "/.well-known/jwks.json",
            ["scopes_supported"] = Strings("openid", "profile", "email", "api", "offline_access"),
            ["response_types_supported"] = Strings("code"),
            ["response_modes_supported"] = Strings("query"),
            ["grant_types_supported"] = Strings(GrantType.Code, GrantType.Refresh, GrantType.ClientCredentials, GrantType.Exchange),
            ["subject_types_supported"] = Strings("public"),
            ["id_token_signing_alg_values_supported"] = Strings(SigningKey.Rs256, SigningKey.Es256),
            ["token_endpoint_auth_methods_supported"] = Strings("client_secret_basic", "client_secret_post", "none"),
            ["code_challenge_methods_supported"] = Strings("S256"),
            ["prompt_values_supported"] = Strings("none", "login"),
            ["claims_supported"] = Strings("sub", "name", "email", "preferred_username", "tid", "roles", "sid", "auth_time", "nonce"),
            ["authorization_response_iss_parameter_supported"] = true,
            ["backchannel_logout_supported"] = true,
            ["backchannel_logout_session_supported"] = true,
        };

    private static JsonArray Strings(params string[] values) => new([.. values.Select(value => JsonValue.Create(value))]);
}
