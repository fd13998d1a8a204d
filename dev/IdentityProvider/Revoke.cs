namespace Bff.Dev.IdentityProvider;

/// <summary>Serves revocation (RFC 7009). A refresh token is revoked with its whole family; an unknown token is a success.</summary>
internal static class Revoke
{
    public static void Map(IEndpointRouteBuilder routes, DevelopmentIdentityProvider provider) =>
        routes.MapPost("/revoke", provider.Endpoint(IdentityEndpoint.Revocation, context => Handle(context, provider)));

    private static async Task Handle(HttpContext context, DevelopmentIdentityProvider provider)
    {
        var form = await Parameters.FromForm(context);
        if (form is null || ClientAuthentication.Authenticate(context, form, provider.Options) is not { } client)
        {
            await Answer.InvalidClient(context);
            return;
        }

        if (form["token"] is not { } token)
        {
            await Answer.Error(context, "invalid_request", "There is no token.");
            return;
        }

        if (provider.Grants.FamilyOf(token) is { } grant && grant.ClientId == client.Id)
            grant.Revoked = true;
        if (provider.Tokens.ReadAccess(token) is { } claims && claims["client_id"]?.ToString() == client.Id)
            provider.Tokens.RevokeAccess(claims);
        context.Response.StatusCode = StatusCodes.Status200OK;
    }
}
