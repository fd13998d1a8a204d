using System.Text.Json.Nodes;

namespace Bff.Dev.IdentityProvider;

internal static class Answer
{
    public static Task Json(HttpContext context, JsonObject body, int status = StatusCodes.Status200OK)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(body.ToJsonString(), context.RequestAborted);
    }

    /// <summary>Writes an error (RFC 6749, section 5.2).</summary>
    public static Task Error(HttpContext context, string code, string description, int status = StatusCodes.Status400BadRequest) =>
        Json(context, new JsonObject { ["error"] = code, ["error_description"] = description }, status);

    public static Task InvalidClient(HttpContext context)
    {
        context.Response.Headers.WWWAuthenticate = "Basic realm=\"development identity provider\"";
        return Error(context, "invalid_client", "Unknown client or wrong secret.", StatusCodes.Status401Unauthorized);
    }

    public static Task Html(HttpContext context, Page page, int status = StatusCodes.Status200OK)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.ContentSecurityPolicy =
            $"default-src 'none'; style-src 'self'; img-src data:; form-action {page.FormAction}; base-uri 'none'; frame-ancestors 'none'";
        return context.Response.WriteAsync(page.Html, context.RequestAborted);
    }

    public static void SeeOther(HttpContext context, string location)
    {
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = location;
    }
}
