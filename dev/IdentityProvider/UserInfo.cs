using System.Text.Json.Nodes;

namespace Bff.Dev.IdentityProvider;

/// <summary>Serves the UserInfo endpoint (OpenID Connect Core 1.0, section 5.3).</summary>
internal static class UserInfo
{
    public static void Map(IEndpointRouteBuilder routes, DevelopmentIdentityProvider provider)
    {
        var handler = provider.Endpoint(IdentityEndpoint.UserInfo, context => Handle(context, provider));
        routes.MapGet("/userinfo", handler);
        routes.MapPost("/userinfo", handler);
    }

    private static Task Handle(HttpContext context, DevelopmentIdentityProvider provider)
    {
        var header = context.Request.Headers.Authorization.ToString();
        var token = header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header["Bearer ".Length..].Trim() : null;
        if (provider.Tokens.ReadAccess(token) is not { } claims)
            return Refuse(context, token is null ? "Bearer" : "Bearer error=\"invalid_token\"", StatusCodes.Status401Unauthorized);
        if (claims["scope"]?.ToString().Split(' ').Contains("openid") != true)
            return Refuse(context, "Bearer error=\"insufficient_scope\", scope=\"openid\"", StatusCodes.Status403Forbidden);

        var answer = new JsonObject();
        foreach (var name in (string[])["sub", "name", "email", "tid", "roles"])
            if (claims[name] is { } value)
                answer[name] = value.DeepClone();
        return Answer.Json(context, answer);
    }

    private static Task Refuse(HttpContext context, string challenge, int status)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.WWWAuthenticate = challenge;
        return Task.CompletedTask;
    }
}
