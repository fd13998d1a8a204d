using System.Collections.Frozen;
using System.IO.Compression;
using Bff.RateLimiting;
using Microsoft.AspNetCore.Http.HttpResults;
using Swashbuckle.AspNetCore.SwaggerUI;

namespace PartnerBff.Portal.Docs;

/// <summary>Swagger UI's own script and style sheet, out of its package, where they lie compressed.</summary>
internal static class SwaggerAssets
{
    private const string Prefix = "Swashbuckle.AspNetCore.SwaggerUI.node_modules.swagger_ui_dist.";

    private static readonly FrozenDictionary<string, string> Types = new Dictionary<string, string>
    {
        ["swagger-ui-bundle.js"] = "text/javascript; charset=utf-8", ["swagger-ui.css"] = "text/css; charset=utf-8",
    }.ToFrozenDictionary();

    private static readonly string Version = typeof(SwaggerUIOptions).Assembly.GetName().Version!.ToString(3);

    public static string Url(string name) => $"/docs/assets/{name}?v={Version}";

    public static void MapSwaggerAssets(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/docs/assets/{name}", (HttpContext context, string name) => Types.TryGetValue(name, out var type)
                ? (IResult)Answer(context, name, type)
                : TypedResults.NotFound())
            .AllowAnonymous().WithoutLimits().ExcludeFromDescription();

    private static FileStreamHttpResult Answer(HttpContext context, string name, string type)
    {
        var stored = typeof(SwaggerUIOptions).Assembly.GetManifestResourceStream(Prefix + name)!;
        context.Response.Headers.CacheControl = "public, max-age=604800";
        context.Response.Headers.Vary = "Accept-Encoding";
        if (!context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase))
        {
            return TypedResults.Stream(new GZipStream(stored, CompressionMode.Decompress), type);
        }

        context.Response.Headers.ContentEncoding = "gzip";
        return TypedResults.Stream(stored, type);
    }
}
