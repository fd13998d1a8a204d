using System.Buffers;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Bff.Composition.Progressive;
using Bff.OpenApi;
using Bff.Requests;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;

namespace Bff.Composition;

/// <summary>A composed answer, or the problem that results from the failure of a required part.</summary>
/// <typeparam name="T">The client's contract.</typeparam>
public class Composed<T> : IResult, IEndpointMetadataProvider
{
    private static readonly byte[] MetaName = ",\"_meta\":"u8.ToArray();
    private readonly Problem? _problem;
    private int? _maxAgeSeconds;
    private bool _withMeta = true;
    private Part? _validated;
    private string? _link;
    private int _status = StatusCodes.Status200OK;
    private Func<T, string>? _location;
    private List<KeyValuePair<string, string?>>? _headers;

    internal Composed(Problem problem, CompositionReport report) => (_problem, Report) = (problem, report);

    internal Composed(T answer, JsonTypeInfo<T> type, CompositionReport report) => (Answer, Type, Report) = (answer, type, report);

    private protected T? Answer { get; }

    private protected JsonTypeInfo<T>? Type { get; }

    private protected CompositionReport Report { get; set; }

    /// <summary>Whether the answer carries a <c>_meta</c>.</summary>
    private protected bool WithMeta => _withMeta;

    /// <summary>Leaves out <c>_meta</c>; for answers that consist of one part.</summary>
    public Composed<T> WithoutMeta()
    {
        _withMeta = false;
        return this;
    }

    /// <summary>
    /// Lets the client cache a complete answer (<c>Cache-Control: private, max-age</c>) and revalidate it (ETag, 304).
    /// </summary>
    public Composed<T> Cacheable(int maxAgeSeconds)
    {
        _maxAgeSeconds = maxAgeSeconds;
        return this;
    }

    /// <summary>Answers 201 with the <c>Location</c> of the created resource (RFC 9110 section 15.3.2).</summary>
    /// <param name="location">Builds the client's path to the resource.</param>
    public ComposedCreated<T> Created(Func<T, string> location) => new(As(StatusCodes.Status201Created, location));

    /// <summary>Answers 202: the request is accepted and still to be processed (RFC 9110 section 15.3.3).</summary>
    /// <param name="location">Builds the path where the client can follow the progress; null for no <c>Location</c>.</param>
    public ComposedAccepted<T> Accepted(Func<T, string>? location = null) => new(As(StatusCodes.Status202Accepted, location));

    /// <summary>Adds a header to a successful answer; a null value adds none.</summary>
    public Composed<T> WithHeader(string name, string? value)
    {
        (_headers ??= []).Add(new(name, value));
        return this;
    }

    /// <summary>
    /// Passes on the service's validators of a part (<c>ETag</c>, <c>Last-Modified</c>), so that the client can send <c>If-Match</c> with a
    /// change. If the answer consists of that part alone, the client may also revalidate it (304). Implies <see cref="WithoutMeta"/>,
    /// because <c>_meta</c> differs with each answer.
    /// </summary>
    public Composed<T> ValidatedBy(Part part)
    {
        (_validated, _withMeta) = (part, false);
        return this;
    }

    /// <summary>Adds a <c>Link</c> (RFC 8288).</summary>
    public Composed<T> WithLink(string? link)
    {
        _link = link;
        return this;
    }

    /// <inheritdoc />
    public virtual async Task ExecuteAsync(HttpContext httpContext)
    {
        var services = httpContext.RequestServices;
        var options = services.GetRequiredService<CompositionOptions>();
        if (options.ServerTiming)
        {
            httpContext.Response.Headers["Server-Timing"] = Report.ServerTiming();
        }

        if (_problem is not null)
        {
            await _problem.ExecuteAsync(httpContext);
            return;
        }

        if (options.Progressive && ProgressiveAsk.IsRead(httpContext.Request))
        {
            httpContext.Response.Headers.Vary = ProgressiveAsk.Vary;
        }

        using var body = new AnswerBuffer();
        using var json = new Utf8JsonWriter(body, new JsonWriterOptions { SkipValidation = true, Encoder = Type!.Options.Encoder });
        JsonSerializer.Serialize(json, Answer!, Type);
        json.Flush();
        if (IsUnchanged(httpContext, services, body.WrittenSpan))
        {
            httpContext.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        if (_withMeta && services.GetService<ICompositionMeta>() is { } meta)
        {
            Splice(body, json, meta);
        }

        var response = httpContext.Response;
        Head(response);
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = body.WrittenCount;
        if (!HttpMethods.IsHead(httpContext.Request.Method))
        {
            await response.Body.WriteAsync(body.WrittenMemory, httpContext.RequestAborted);
        }
    }

    /// <inheritdoc />
    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder) =>
        Describe(builder, StatusCodes.Status200OK, 401, 403, 404, 429, 502, 503, 504);

    internal static void Describe(EndpointBuilder builder, int status, params ReadOnlySpan<int> problems)
    {
        string[] types = ProgressiveAsk.MayBeMadeOf(builder) ? ["application/json", ProgressiveAsk.MediaType] : ["application/json"];
        builder.Metadata.Add(new ProducesResponseTypeMetadata(status, typeof(T), types));
        foreach (var problem in problems)
        {
            builder.Metadata.Add(new ProducesResponseTypeMetadata(problem, typeof(ProblemDocument), ["application/problem+json"]));
        }
    }

    private Composed<T> As(int status, Func<T, string>? location)
    {
        (_status, _location, _maxAgeSeconds) = (status, location, null); // A cached copy would repeat the news that something was created.
        return this;
    }

    /// <summary>Writes the status and the headers that the endpoint adds to the body.</summary>
    private protected void Head(HttpResponse response)
    {
        if (_link is not null)
        {
            response.Headers.Link = _link;
        }

        if (_status == StatusCodes.Status200OK && _headers is null)
        {
            return;
        }

        response.StatusCode = _status;
        if (_location is not null)
        {
            response.Headers.Location = _location(Answer!);
        }

        foreach (var (name, value) in _headers ?? [])
        {
            response.Headers[name] = value;
        }
    }

    /// <summary>
    /// Writes <c>Cache-Control</c>, <c>Vary</c> and the validators, and returns whether the client already has this answer. Only a complete
    /// answer may be cached. A part's validators apply to the answer if it is the only part.
    /// </summary>
    private protected bool IsUnchanged(HttpContext context, IServiceProvider services, ReadOnlySpan<byte> answer)
    {
        var shared = _status == StatusCodes.Status200OK ? context.GetEndpoint()?.Metadata.GetMetadata<PublicCaching>() : null;
        if ((shared?.Seconds ?? _maxAgeSeconds) is not { } maxAge)
        {
            return _validated is not null && Recognize(context, _validated, "private, no-cache");
        }

        if (services.GetRequiredService<CompositionServices>().Vary is { Length: > 0 } told)
        {
            context.Response.Headers.Vary = StringValues.Concat(context.Response.Headers.Vary, told);
        }

        if (Report.IsDegraded)
        {
            return _validated is not null && Recognize(context, _validated, null);
        }

        var kept =
            (shared is not null && Report.IsPublic ? "public, max-age=" : "private, max-age=")
            + maxAge.ToString(CultureInfo.InvariantCulture);
        if (_validated is { } part && (part.ETag ?? part.LastModified) is not null)
        {
            return Recognize(context, part, kept);
        }

        context.Response.Headers.CacheControl = kept;
        return Validators.IsUnchanged(context, Validators.TagOf(answer), null);
    }

    private bool Recognize(HttpContext context, Part part, string? kept)
    {
        if ((part.ETag ?? part.LastModified) is null || part.Status == PartStatus.Fallback)
        {
            return false;
        }

        if (kept is not null)
        {
            context.Response.Headers.CacheControl = kept;
        }

        return Validators.IsUnchanged(context, part.ETag, part.LastModified) && Report is { ServicesCalled: 1, IsDegraded: false };
    }

    // Replaces the closing brace, so that one more member fits in.
    private void Splice(AnswerBuffer body, Utf8JsonWriter json, ICompositionMeta meta)
    {
        body.DropLast();
        body.Write(body.WrittenCount > 1 ? MetaName : MetaName.AsSpan(1));
        json.Reset();
        meta.Write(json, Report);
        json.Flush();
        body.Write("}"u8);
    }
}
