using System.Text.Json.Nodes;

namespace Bff.Dev.IdentityProvider;

/// <summary>The token endpoint (RFC 6749, section 3.2), with four grants.</summary>
internal static class Token
{
    public static void Map(IEndpointRouteBuilder routes, DevelopmentIdentityProvider provider) =>
        routes.MapPost("/token", provider.Endpoint(IdentityEndpoint.Token, context => Handle(context, provider)));

    private static async Task Handle(HttpContext context, DevelopmentIdentityProvider provider)
    {
        if (await Parameters.FromForm(context) is not { Repeated: false } form)
        {
            await Answer.Error(context, "invalid_request", "A form with each parameter once is expected.");
            return;
        }

        if (ClientAuthentication.Authenticate(context, form, provider.Options) is not { } client)
        {
            await Answer.InvalidClient(context);
            return;
        }

        var grantType = form["grant_type"];
        if (
            grantType is GrantType.Code or GrantType.Refresh or GrantType.ClientCredentials or GrantType.Exchange
            && !client.Settings.GrantTypes.Contains(grantType)
        )
        {
            await Answer.Error(context, "unauthorized_client", "The client may not use this grant.");
            return;
        }

        await (
            grantType switch
            {
                GrantType.Code => Code(context, provider, client, form),
                GrantType.Refresh => provider.Endpoint(IdentityEndpoint.Refresh, refresh => Refresh(refresh, provider, client, form))(
                    context
                ),
                GrantType.ClientCredentials => ClientCredentials(context, provider, client, form),
                GrantType.Exchange => Exchange(context, provider, client, form),
                _ => Answer.Error(
                    context,
                    "unsupported_grant_type",
                    "There are authorization_code, refresh_token, client_credentials and token-exchange."
                ),
            }
        );
    }

    private static Task Code(HttpContext context, DevelopmentIdentityProvider provider, AuthenticatedClient client, Parameters form)
    {
        if (provider.Grants.Redeem(form["code"], client.Id, form["redirect_uri"], form["code_verifier"]) is not { } code)
            return Answer.Error(
                context,
                "invalid_grant",
                "The code is unknown, spent or expired, or its redirect_uri or code_verifier differs."
            );

        var refresh =
            code.Grant.Scopes.Contains("offline_access") && client.Settings.GrantTypes.Contains(GrantType.Refresh)
                ? provider.Grants.NextRefreshToken(code.Grant)
                : null;
        return UserTokens(context, provider, client, code.Grant, code.Grant.Scopes, code.Nonce, refresh);
    }

    private static Task Refresh(HttpContext context, DevelopmentIdentityProvider provider, AuthenticatedClient client, Parameters form)
    {
        var asked = form["scope"]?.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (asked is not null && provider.Grants.Find(form["refresh_token"]) is { } known && asked.Except(known.Scopes).Any())
            return Answer.Error(context, "invalid_scope", "A refresh cannot ask for more than was granted.");
        if (provider.Grants.Rotate(form["refresh_token"], client.Id) is not var (grant, next))
            return Answer.Error(context, "invalid_grant", "The refresh token is unknown, spent, expired or revoked.");
        return UserTokens(context, provider, client, grant, asked ?? grant.Scopes, nonce: null, next);
    }

    private static Task ClientCredentials(
        HttpContext context,
        DevelopmentIdentityProvider provider,
        AuthenticatedClient client,
        Parameters form
    )
    {
        if (client.IsPublic)
            return Answer.Error(context, "unauthorized_client", "A public client has no credentials.");
        var scopes = form["scope"]?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [.. client.Settings.Scopes];
        if (scopes.Except(client.Settings.Scopes).Any())
            return Answer.Error(context, "invalid_scope", "The client may not have this scope.");
        if (form["audience"] is not null && !client.Settings.MayChooseAudience)
            return Answer.Error(context, "invalid_target", "The client may not choose an audience.");
        return Answer.Json(context, Bearer(provider.Tokens.ForClient(client, scopes, form["audience"]), client.Settings, scopes));
    }

    private static Task Exchange(HttpContext context, DevelopmentIdentityProvider provider, AuthenticatedClient client, Parameters form)
    {
        if (form["audience"] is not { Length: > 0 } audience || !client.Settings.MayChooseAudience)
            return Answer.Error(context, "invalid_target", "Name a service in audience.");
        if (provider.Tokens.Exchanged(client, form["subject_token"], audience) is not { } token)
            return Answer.Error(context, "invalid_request", "The subject token is not good.");
        var answer = Bearer(token, client.Settings, []);
        answer["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token";
        return Answer.Json(context, answer);
    }

    private static Task UserTokens(
        HttpContext context,
        DevelopmentIdentityProvider provider,
        AuthenticatedClient client,
        Grant grant,
        string[] scopes,
        string? nonce,
        string? refreshToken
    )
    {
        var accessToken = provider.Tokens.ForUser(grant, client.Settings, scopes);
        var answer = Bearer(accessToken, client.Settings, scopes);
        if (scopes.Contains("openid"))
            answer["id_token"] = provider.Tokens.IdToken(grant, client.Settings, nonce, accessToken);
        if (refreshToken is not null)
        {
            answer["refresh_token"] = refreshToken;
            answer["refresh_expires_in"] = (long)(grant.Ends - provider.Options.Time.GetUtcNow()).TotalSeconds;
        }

        return Answer.Json(context, answer);
    }

    private static JsonObject Bearer(string accessToken, DevelopmentClient client, string[] scopes) =>
        new()
        {
            ["access_token"] = accessToken,
            ["token_type"] = "Bearer",
            ["expires_in"] = (long)client.AccessTokenLifetime.TotalSeconds,
            ["scope"] = string.Join(' ', scopes),
        };
}
