using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Bench.Upstream;

/// <summary>Finds the answer by the shape of the path.</summary>
internal sealed class Services(Issuer issuer)
{
    private static readonly byte[] Done = "{}"u8.ToArray();
    private readonly ConcurrentDictionary<string, int> _delays = new(StringComparer.Ordinal);

    public Task Answer(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        var service = ServiceOf(path);
        if (service is null)
        {
            return Special(context, path);
        }

        return _delays.IsEmpty || !_delays.TryGetValue(service, out var delay) || delay == 0
            ? Write(context, Documents.Of(service))
            : Late(context, service, delay);
    }

    private static string? ServiceOf(string path) =>
        path.StartsWith("/users/", StringComparison.Ordinal)
            ? path.EndsWith("/orders", StringComparison.Ordinal)
                ? "orders"
                : path.EndsWith("/recommendations", StringComparison.Ordinal)
                    ? "recommendations"
                    : path.EndsWith("/notifications", StringComparison.Ordinal)
                        ? "notifications"
                        : "users"
            : path == "/products"
                ? "products"
                : path.StartsWith("/products/", StringComparison.Ordinal)
                    ? path.EndsWith("/reviews", StringComparison.Ordinal)
                        ? "reviews"
                        : "product"
                    : path.StartsWith("/inventory/", StringComparison.Ordinal)
                        ? "inventory"
                        : path == "/graphql"
                            ? "pricing"
                            : null;

    private static async Task Late(HttpContext context, string service, int milliseconds)
    {
        try
        {
            await Task.Delay(milliseconds, context.RequestAborted);
            await Write(context, Documents.Of(service));
        }
        catch (OperationCanceledException)
        {
            // The gateway has stopped waiting, which is what the job measures.
        }
    }

    private async Task Special(HttpContext context, string path)
    {
        var query = context.Request.Query;
        switch (path)
        {
            case "/.well-known/openid-configuration":
                await Write(context, issuer.Discovery);
                break;
            case "/keys":
                await Write(context, issuer.Keys);
                break;
            case "/token":
                await Write(context, issuer.Token(query["sub"].ToString(), query["tid"], query["role"]));
                break;
            case "/delay":
                _delays[query["service"].ToString()] = int.Parse(query["ms"].ToString(), CultureInfo.InvariantCulture);
                await Write(context, Done);
                break;
            case "/sink":
                await Write(context, Encoding.ASCII.GetBytes((await Drain(context)).ToString(CultureInfo.InvariantCulture)));
                break;
            case "/source":
                await Pour(context, long.Parse(query["bytes"].ToString(), CultureInfo.InvariantCulture));
                break;
            default:
                await context.Request.BodyReader.CopyToAsync(Stream.Null); // These are spans.
                await Write(context, Done);
                break;
        }
    }

    private static async Task<long> Drain(HttpContext context)
    {
        var buffer = new byte[64 * 1024];
        var total = 0L;
        int read;
        while ((read = await context.Request.Body.ReadAsync(buffer)) > 0)
        {
            total += read;
        }

        return total;
    }

    private static async Task Pour(HttpContext context, long bytes)
    {
        context.Response.ContentType = "application/octet-stream";
        var piece = new byte[64 * 1024];
        for (var sent = 0L; sent < bytes; sent += piece.Length)
        {
            await context.Response.Body.WriteAsync(piece);
        }
    }

    private static Task Write(HttpContext context, byte[] body)
    {
        var response = context.Features.GetRequiredFeature<IHttpResponseFeature>();
        response.Headers.ContentType = "application/json";
        response.Headers.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, 0, body.Length);
    }
}
