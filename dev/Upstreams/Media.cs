using System.Globalization;
using System.Security.Cryptography;
using Bff.Dev.Upstreams.Data;
using Bff.Dev.Upstreams.Pictures;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Bff.Dev.Upstreams;

/// <summary>
/// Serves <c>/media/large/p-1.jpg</c> (1600 x 1200) and <c>/media/thumb/p-1.jpg</c> (200 x 150) for every product, its gallery and every
/// user. The framework answers conditional and range requests.
/// </summary>
public sealed class Media() : SampleService("media")
{
    private static readonly System.Collections.Concurrent.ConcurrentDictionary<byte[], EntityTagHeaderValue> Tags = new();

    internal override Task HandleAsync(Exchange exchange) =>
        (exchange.Request.Method, exchange.Segments) switch
        {
            ("GET" or "HEAD", ["media", "large" or "thumb", var file]) => NumberOf(file) is { } number
                ? SendAsync(exchange, Gallery.Picture(number, large: exchange.Segments[1] == "large"))
                : Answer.NotFoundAsync(exchange, "picture"),
            (_, ["media", "large" or "thumb", _]) => Answer.MethodNotAllowedAsync(exchange, "GET, HEAD"),
            _ => Answer.NotFoundAsync(exchange),
        };

    private static Task SendAsync(Exchange exchange, byte[] picture)
    {
        exchange.Response.Headers.CacheControl = "public, max-age=86400";
        var tag = Tags.GetOrAdd(
            picture,
            static bytes => new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 12))}\"")
        );
        FileContentHttpResult result = TypedResults.Bytes(
            picture,
            "image/jpeg",
            enableRangeProcessing: true,
            lastModified: Shop.Epoch,
            entityTag: tag
        );
        return result.ExecuteAsync(exchange.Context);
    }

    /// <summary>Returns the number of an image; p-17.jpg, p-17-2.jpg and u-1001.jpg are names of images.</summary>
    private static int? NumberOf(string file)
    {
        if (!file.EndsWith(".jpg", StringComparison.Ordinal))
            return null;
        var name = file[..^4];
        if (People.Find(name) is not null)
            return int.Parse(name.AsSpan(2), CultureInfo.InvariantCulture);
        return name.Split('-') switch
        {
            ["p", var id] when Shop.IndexOf($"p-{id}") is >= 0 and var index => index,
            ["p", var id, [>= '2' and <= '9'] nth] when Shop.IndexOf($"p-{id}") is >= 0 and var index => index + (nth[0] - '0'),
            _ => null,
        };
    }
}
