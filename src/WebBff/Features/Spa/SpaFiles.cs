using Bff.Configuration;
using Bff.Requests;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.Options;

namespace WebBff.Features.Spa;

/// <summary>Section <c>Spa</c>.</summary>
[Settings("Spa")]
internal sealed class SpaOptions
{
    /// <summary>Folder of a single-page app that this host serves, in development only.</summary>
    [Setting(Default = "none")]
    public string? Path { get; init; }
}

/// <summary>
/// Serves the single-page app from this host in development, so that app and gateway share one origin as in production, where the app is
/// served from the gateway's domain. Each file in the folder <c>Spa:Path</c> gets a route of its own, matched exactly.
/// </summary>
internal static class SpaFiles
{
    private const string Index = "index.html";
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

    public static void AddSpa(this WebApplicationBuilder builder) => builder.Services.AddSettings<SpaOptions>();

    public static void MapSpa(this WebApplication app)
    {
        var folder =
            app.Environment.IsDevelopment() && app.Services.GetRequiredService<IOptions<SpaOptions>>().Value.Path is { } configured
                ? Path.GetFullPath(configured, app.Environment.ContentRootPath)
                : null;
        if (!File.Exists(Path.Join(folder, Index)))
        {
            app.MapLandingPage();
            return;
        }

        var types = new FileExtensionContentTypeProvider();
        foreach (var path in Directory.EnumerateFiles(folder!))
        {
            var name = Path.GetFileName(path);
            if (types.TryGetContentType(name, out var type))
            {
                app.MapGet(name == Index ? "/" : "/" + name, (HttpContext context) => Serve(context, path, type))
                    .AllowAnonymous()
                    .WithoutLimits()
                    .ExcludeFromDescription();
            }
        }
    }

    private static PhysicalFileHttpResult Serve(HttpContext context, string path, string type)
    {
        BffRequest.Of(context).PagePolicy = Policy;
        context.Response.Headers.CacheControl = "no-cache";
        return TypedResults.PhysicalFile(path, type.StartsWith("text/", StringComparison.Ordinal) ? type + "; charset=utf-8" : type);
    }
}
