using System.Text.Json.Nodes;

namespace Bff.Dev.IdentityProvider;

/// <summary>Serves introspection (RFC 7662) for JWTs and opaque tokens alike, to any confidential client.</summary>
internal static class Introspect
{
    public static void Map(IEndpointRouteBuilder routes, DevelopmentIdentityProvider provider) =>
        routes.MapPost("/introspect", provider.Endpoint(IdentityEndpoint.Introspection, context => Handle(context, provider)));

    private static async Task Handle(HttpContext context, DevelopmentIdentityProvider provider)
    {
        var form = await Parameters.FromForm(context);
        if (form is null || ClientAuthentication.Authenticate(context, form, provider.Options) is not { IsPublic: false } client)
        {
            await Answer.InvalidClient(context);
            return;
        }

        await Answer.Json(context, Describe(provider, client, form["token"]));
    }

    private static JsonObject Describe(DevelopmentIdentityProvider provider, AuthenticatedClient client, string? token)
    {
        if (provider.Tokens.ReadAccess(token) is { } claims)
        {
            claims["active"] = true;
            claims["token_type"] = "Bearer";
            return claims;
        }

        if (provider.Grants.Find(token) is { } grant && grant.ClientId == client.Id)
        {
            return new JsonObject
            {
                ["active"] = true,
                ["token_type"] = "refresh_token",
                ["client_id"] = grant.ClientId,
                ["sub"] = grant.User.Subject,
                ["scope"] = string.Join(' ', grant.Scopes),
                ["exp"] = grant.Ends.ToUnixTimeSeconds(),
            };
        }

        return new JsonObject { ["active"] = false };
    }
}
