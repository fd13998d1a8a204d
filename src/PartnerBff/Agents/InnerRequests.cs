using System.Diagnostics;
using Bff.Requests;
using Microsoft.AspNetCore.Http.Features;

namespace PartnerBff.Agents;

/// <summary>
/// Sends requests of a caller through all stages of this host without a network, so that permissions, costs and records are decided in the
/// same place as for all other requests. 1. The inner request has the caller's address, credential and request id, and nothing else of the
/// outer one; 2. it passes the pipeline from its start; 3. it ends with the outer request at the latest.
/// </summary>
internal sealed class InnerRequests(IServiceScopeFactory scopes)
{
    private static readonly ActivitySource Spans = new("Bff.Agents");

    // The other headers of the outer request concern its own message. The caller and the language apply to the inner one too.
    private static readonly string[] Copied = ["Authorization", "X-API-Key", "User-Agent", "Accept-Language", "X-Correlation-Id"];

    private RequestDelegate? _stages;

    /// <summary>Sets the start of the pipeline for inner requests; called while the pipeline is built.</summary>
    public void BeginAt(RequestDelegate stages) => _stages = stages;

    /// <summary>Sends the request and waits for its complete answer.</summary>
    /// <exception cref="OperationCanceledException">The outer request has ended.</exception>
    public Task<InnerAnswer> Send(HttpContext outer, InnerRequest request, CancellationToken cancellation) =>
        Serve(outer, request, _stages!, cancellation);

    /// <summary>Answers the request with a problem, without serving it.</summary>
    public Task<InnerAnswer> Refuse(HttpContext outer, InnerRequest request, Problem problem, CancellationToken cancellation)
    {
        var known = BffRequest.Of(outer);
        return Serve(
            outer,
            request,
            inner =>
            {
                inner.Features.Set(known);
                return problem.ExecuteAsync(inner);
            },
            cancellation
        );
    }

    private async Task<InnerAnswer> Serve(HttpContext outer, InnerRequest request, RequestDelegate serve, CancellationToken cancellation)
    {
        using var span = Spans.StartActivity(request.Method, ActivityKind.Server);
        using var lifetime = new Lifetime(outer.RequestAborted, cancellation);
        using var answer = new InnerResponse();
        var inner = Context(outer, request, answer, lifetime);
        try
        {
            await serve(inner);
            await answer.CompleteAsync();
        }
        finally
        {
            await answer.End();
        }

        outer.RequestAborted.ThrowIfCancellationRequested();
        cancellation.ThrowIfCancellationRequested();
        return new(answer.StatusCode, answer.Headers, answer.Kept, answer.IsCutOff, lifetime.IsAborted);
    }

    private DefaultHttpContext Context(HttpContext outer, InnerRequest request, InnerResponse answer, Lifetime lifetime)
    {
        var (target, query) = request.Target.IndexOf('?', StringComparison.Ordinal) is >= 0 and var at
            ? (request.Target[..at], request.Target[at..])
            : (request.Target, "");
        IHeaderDictionary headers = new HeaderDictionary();
        foreach (var name in Copied)
        {
            if (outer.Request.Headers.TryGetValue(name, out var values))
            {
                headers[name] = values;
            }
        }

        headers.Host = outer.Request.Host.Value;
        headers.Accept = "application/json";
        headers["X-Request-Id"] = BffRequest.Of(outer).RequestId; // The caller sees this id in the answer.
        if (request.Key is { } key)
        {
            headers["Idempotency-Key"] =
                '"' + key.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + '"';
        }

        if (request.Body is { } body)
        {
            headers.ContentType = "application/json";
            headers.ContentLength = body.Length;
        }

        var connection = outer.Connection;
        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(
            new HttpRequestFeature
            {
                Protocol = outer.Request.Protocol,
                Scheme = outer.Request.Scheme,
                Method = request.Method,
                Path = Uri.UnescapeDataString(target),
                QueryString = query,
                RawTarget = request.Target,
                Headers = headers,
                Body = request.Body is null ? Stream.Null : new MemoryStream(request.Body, writable: false),
            }
        );
        features.Set<IHttpRequestBodyDetectionFeature>(new BodyDetection(request.Body is not null));
        features.Set<IHttpResponseFeature>(answer);
        features.Set<IHttpResponseBodyFeature>(answer);
        features.Set<IHttpRequestLifetimeFeature>(lifetime);
        features.Set<IHttpConnectionFeature>(
            new HttpConnectionFeature
            {
                ConnectionId = connection.Id,
                LocalIpAddress = connection.LocalIpAddress,
                LocalPort = connection.LocalPort,
                RemoteIpAddress = connection.RemoteIpAddress,
                RemotePort = connection.RemotePort,
            }
        );
        features.Set(outer.Features.Get<ITlsConnectionFeature>());
        return new DefaultHttpContext(features) { ServiceScopeFactory = scopes };
    }

    private sealed record BodyDetection(bool CanHaveBody) : IHttpRequestBodyDetectionFeature;

    /// <summary>Lifetime of an inner request: that of the outer one, unless the host aborts it earlier.</summary>
    private sealed class Lifetime : IHttpRequestLifetimeFeature, IDisposable
    {
        private readonly CancellationTokenSource _aborted;

        public Lifetime(CancellationToken outer, CancellationToken cancellation)
        {
            _aborted = CancellationTokenSource.CreateLinkedTokenSource(outer, cancellation);
            RequestAborted = _aborted.Token;
        }

        public CancellationToken RequestAborted { get; set; }

        public bool IsAborted { get; private set; }

        public void Abort()
        {
            IsAborted = true;
            _aborted.Cancel();
        }

        public void Dispose() => _aborted.Dispose();
    }
}

/// <summary>Stands before all stages and passes them to <see cref="InnerRequests"/>.</summary>
internal sealed class InnerRequestsBeginHere
{
    private readonly RequestDelegate _next;

    public InnerRequestsBeginHere(RequestDelegate next, InnerRequests requests)
    {
        _next = next;
        requests.BeginAt(next);
    }

    public Task InvokeAsync(HttpContext context) => _next(context);
}
