using System.Collections.Frozen;
using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Bff.Edge;
using Bff.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Bff.OpenApi.Pages;

/// <summary>
/// Serves the files of the documentation page: Swagger UI from the package NSwag.AspNetCore, and the files that adapt it to this host. The
/// package's own page is not used, because it has an inline script, which the content security policy forbids. The package is loaded when a
/// page is first viewed.
/// </summary>
public static class ApiPageFiles
{
    private const string Package = "NSwag.AspNetCore";

    private static readonly FrozenDictionary<string, Lazy<PageFile>> All = new[]
    {
        Of("swagger-ui-bundle.js", "text/javascript; charset=utf-8", static () => Assembly.Load(Package), "NSwag.AspNetCore.SwaggerUi."),
        Of("swagger-ui.css", "text/css; charset=utf-8", static () => Assembly.Load(Package), "NSwag.AspNetCore.SwaggerUi."),
        Of("docs.js", "text/javascript; charset=utf-8", Assembly.GetExecutingAssembly, "Bff.OpenApi.Pages."),
        Of("docs.css", "text/css; charset=utf-8", Assembly.GetExecutingAssembly, "Bff.OpenApi.Pages."),
        Of("page.css", "text/css; charset=utf-8", Assembly.GetExecutingAssembly, "Bff.OpenApi.Pages."),
    }.ToFrozenDictionary(f => f.Key, f => f.Value);

    /// <summary>Whether the package is deployed with this host. Builds for other hosts than the partners' leave it out.</summary>
    internal static bool ArePresent => File.Exists(Path.Combine(AppContext.BaseDirectory, Package + ".dll"));

    /// <summary>Returns the URL of a file. It changes with the file, so that browsers can cache it.</summary>
    public static string Url(string name) => $"/docs/assets/{name}?v={All[name].Value.Version}";

    /// <summary>Serves the files to anonymous callers below <c>/docs/assets</c>.</summary>
    public static void MapApiPageFiles(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(
                "/docs/assets/{name}",
                IResult (HttpContext context, string name) =>
                    All.TryGetValue(name, out var file) ? Answer(context, file.Value) : TypedResults.NotFound()
            )
            .AllowAnonymous()
            .WithoutLimits()
            .ExcludeFromDescription();

    private static IResult Answer(HttpContext context, PageFile file)
    {
        var (request, headers) = (context.Request, context.Response.Headers);
        headers.CacheControl =
            request.Query["v"] is [var version] && version == file.Version ? "public, max-age=31536000, immutable" : "no-cache";
        headers.Vary = "Accept-Encoding";
        if (!AcceptedEncoding.TakesGzip(request.Headers.AcceptEncoding))
        {
            return TypedResults.Stream(new GZipStream(new MemoryStream(file.Compressed), CompressionMode.Decompress), file.Type);
        }

        headers.ContentEncoding = "gzip";
        return TypedResults.Bytes(file.Compressed, file.Type);
    }

    private static KeyValuePair<string, Lazy<PageFile>> Of(string name, string type, Func<Assembly> assembly, string prefix) =>
        KeyValuePair.Create(name, new Lazy<PageFile>(() => Read(assembly(), prefix + name, type)));

    private static PageFile Read(Assembly assembly, string resource, string type)
    {
        using var stored =
            assembly.GetManifestResourceStream(resource) ?? throw new InvalidOperationException($"{assembly.FullName} has no {resource}.");
        var content = new byte[stored.Length];
        stored.ReadExactly(content);
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal))
        {
            gzip.Write(content);
        }

        return new(compressed.ToArray(), type, Convert.ToHexStringLower(SHA256.HashData(content))[..12]);
    }

    private sealed record PageFile(byte[] Compressed, string Type, string Version);
}
