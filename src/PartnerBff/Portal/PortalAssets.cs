using System.Collections.Frozen;
using System.Reflection;
using System.Security.Cryptography;
using Bff.Requests;
using Microsoft.AspNetCore.Http.HttpResults;

namespace PartnerBff.Portal;

/// <summary>
/// Serves the portal's style sheet and scripts from the assembly. Their addresses contain a version, so that browsers can cache them.
/// </summary>
internal static class PortalAssets
{
    private const string Prefix = "PartnerBff.Portal.Assets.";

    private static readonly FrozenDictionary<string, Asset> All = Read().ToFrozenDictionary(a => a.Name);

    /// <summary>Returns the address of an asset.</summary>
    public static string Url(string name) => $"/portal/assets/{name}?v={All[name].Version}";

    public static void MapPortalAssets(this IEndpointRouteBuilder routes) =>
        routes
            .MapGet(
                "/portal/assets/{name}",
                IResult (HttpContext context, string name) =>
                    All.TryGetValue(name, out var asset) ? Answer(context, asset) : TypedResults.NotFound()
            )
            .AllowAnonymous()
            .WithoutLimits()
            .ExcludeFromDescription();

    private static FileContentHttpResult Answer(HttpContext context, Asset asset)
    {
        context.Response.Headers.CacheControl =
            context.Request.Query["v"] is [var version] && version == asset.Version ? "public, max-age=31536000, immutable" : "no-cache";
        return TypedResults.Bytes(asset.Content, asset.Type);
    }

    private static IEnumerable<Asset> Read()
    {
        var assembly = Assembly.GetExecutingAssembly();
        foreach (var resource in assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(resource)!;
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            yield return new(resource[Prefix.Length..], content, Type(resource), Convert.ToHexStringLower(SHA256.HashData(content))[..12]);
        }
    }

    private static string Type(string name) =>
        Path.GetExtension(name) switch
        {
            ".css" => "text/css; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            ".svg" => "image/svg+xml",
            _ => "application/octet-stream",
        };

    private sealed record Asset(string Name, byte[] Content, string Type, string Version);
}
