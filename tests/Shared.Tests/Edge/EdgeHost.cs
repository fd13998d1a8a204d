using System.Buffers;
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Bff.Edge;
using Bff.Requests;
using Bff.State;
using Bff.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Bff.Shared.Tests.Edge;

public sealed record Line([property: JsonRequired] string Product_id, [property: JsonRequired] int Quantity);

public sealed record NewOrder([property: JsonRequired] string Reference, [property: JsonRequired] Line[] Items, string? Note = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(NewOrder))]
internal sealed partial class EdgeJson : JsonSerializerContext;

/// <summary>A gateway with one endpoint of each kind that records the requests it received.</summary>
public sealed class EdgeHost : IAsyncLifetime
{
    private static readonly byte[] Large = Encoding.UTF8.GetBytes("{\"text\":\"" + new string('x', 5000) + "\"}");

    private TestHost? _host;

    public TestHost Host => _host!;

    public ConcurrentQueue<string> Reached { get; } = new();

    public static Task<TestHost> Start(
        ConcurrentQueue<string> reached,
        IEnumerable<KeyValuePair<string, string?>>? settings = null,
        Action<WebApplicationBuilder>? register = null
    ) =>
        TestHost.Start(
            builder =>
            {
                builder.AddBffDefaults();
                register?.Invoke(builder);
            },
            app =>
            {
                app.UseBffPipeline();
                Map(app.MapGroup("").AllowAnonymous(), reached);
            },
            [new("Plans:anonymous:RequestsPerMinute", "100000"), new("Plans:anonymous:Burst", "10000"), .. settings ?? []]
        );

    public async Task InitializeAsync() => _host = await Start(Reached);

    public async Task DisposeAsync() => await Host.DisposeAsync();

    private static void Map(IEndpointRouteBuilder routes, ConcurrentQueue<string> reached)
    {
        IResult Note(HttpContext context)
        {
            reached.Enqueue($"{context.Request.Method} {BffRequest.Of(context).Path}");
            return Results.Text("ok");
        }

        routes.MapGet("/", Note);
        routes.MapGet("/items/{id}", Note);
        routes.MapPost("/items/{id}", Note);
        routes.Map("/any/{**rest}", Note);
        routes.MapGet(
            "/seen",
            (HttpContext context) =>
                string.Join(
                    '\n',
                    context.Request.Scheme,
                    context.Request.Host,
                    context.Connection.RemoteIpAddress,
                    System.Diagnostics.Activity.Current?.Id,
                    System.Diagnostics.Activity.Current?.ParentId,
                    System.Diagnostics.Activity.Current?.TraceStateString,
                    string.Join(',', System.Diagnostics.Activity.Current?.Baggage.Select(b => b.Key) ?? []),
                    context.Request.Headers["traceparent"]
                )
        );
        routes.MapGet("/list", (Limit limit) => Results.Text(limit.Value.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        routes.MapGet("/typed", (int n, HttpContext context) => Note(context));
        routes.MapPost("/bound", (Line line, HttpContext context) => Note(context));
        routes.MapPost(
            "/orders",
            async Task<IResult> (HttpContext context) =>
            {
                var body = await JsonBody.Read(context, EdgeJson.Default.NewOrder, context.RequestAborted);
                if (!body.TryGet(out var order, out var problem))
                {
                    return problem;
                }

                reached.Enqueue($"order {order.Reference} {order.Items.Length}");
                return Results.Text("ok");
            }
        );
        routes.MapPost(
            "/upload",
            async (HttpContext context) =>
            {
                using var memory = new MemoryStream();
                await context.Request.Body.CopyToAsync(memory);
                reached.Enqueue($"upload {memory.Length}");
                return Results.Text("ok");
            }
        );
        routes.MapPost(
            "/small-upload",
            async (HttpContext context) =>
            {
                BodyLimit.Set(context, 10);
                var bytes = await RequestBody.Read(context, context.RequestAborted);
                reached.Enqueue($"upload {bytes.Length}");
            }
        );
        routes.MapGet("/boom", IResult () => throw new InvalidOperationException("connection to 10.1.2.3:5432 refused, password=hunter2"));
        routes.MapGet(
            "/late",
            async (HttpContext context) =>
            {
                context.Response.ContentType = "application/json";
                context.Response.Headers.CacheControl = "public, max-age=60";
                context.Response.BodyWriter.Write("{\"half\":"u8);
                await Task.Yield();
                throw new InvalidOperationException("half-way");
            }
        );
        routes.MapGet(
            "/store",
            IResult () => throw new ProblemException(new Problem(ProblemCodes.StoreUnavailable) { RetryAfter = TimeSpan.FromSeconds(1.2) })
        );
        routes.MapGet("/store-away", IResult () => throw new StoreUnavailableException());
        routes.MapGet("/store-refuses", IResult () => throw new StoreRefusedException(new InvalidOperationException("NOPERM key of u-1")));
        routes.MapGet("/status/{code:int}", (int code) => Results.StatusCode(code));
        routes.MapGet(
            "/json",
            (HttpContext context, int size, bool known) =>
            {
                context.Response.Headers.ETag = "\"strong\"";
                return Json(context, Encoding.UTF8.GetBytes("{\"t\":\"" + new string('y', size - 8) + "\"}"), known);
            }
        );
        routes.MapGet("/pieces", Pieces);
        routes.MapGet("/large", (HttpContext context) => Json(context, Large, known: false));
        routes.MapGet(
            "/loose",
            (HttpContext context) =>
            {
                context.Response.Headers["X-Frame-Options"] = "ALLOWALL";
                context.Response.Headers.ContentSecurityPolicy = "default-src *";
                context.Response.Headers.Server = "secret/1.0";
                context.Response.Headers["X-Request-Id"] = "another";
                context.Response.Headers.CacheControl = "private, max-age=60";
                return Results.Text("ok");
            }
        );
        routes.MapGet(
            "/encoded",
            async (HttpContext context) =>
            {
                context.Response.ContentType = "application/json";
                context.Response.Headers.ContentEncoding = "zstd";
                await context.Response.BodyWriter.WriteAsync(Large);
            }
        );
        routes.MapGet("/text", () => Results.Text(new string('z', 5000)));
        routes.MapGet(
            "/sse",
            async (HttpContext context) =>
            {
                context.Response.ContentType = "text/event-stream";
                for (var i = 0; i < 40; i++)
                {
                    await context.Response.WriteAsync("data: " + new string('e', 100) + "\n\n");
                    await context.Response.Body.FlushAsync();
                }
            }
        );
        routes.MapGet(
            "/problem",
            () =>
                new Problem(ProblemCodes.ValidationFailed)
                {
                    Errors = Enumerable.Range(0, 60).ToDictionary(i => $"member_{i}", i => new[] { "Must be something else." }),
                }
        );
    }

    /// <summary>
    /// Writes JSON in pieces of the given lengths without a Content-Length, and throws before the end if <paramref name="fails"/>.
    /// </summary>
    private static async Task Pieces(HttpContext context, string lengths, bool buffered, bool fails)
    {
        context.Response.ContentType = "application/json";
        foreach (var length in lengths.Split(',').Select(l => int.Parse(l, CultureInfo.InvariantCulture)))
        {
            var piece = Encoding.UTF8.GetBytes(new string('1', length));
            if (buffered)
            {
                context.Response.BodyWriter.Write(piece);
            }
            else
            {
                await context.Response.Body.WriteAsync(piece);
            }
        }

        if (fails)
        {
            throw new InvalidOperationException("half-way");
        }
    }

    private static async Task Json(HttpContext context, byte[] document, bool known)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = known ? document.Length : null;
        await context.Response.BodyWriter.WriteAsync(document);
    }
}
