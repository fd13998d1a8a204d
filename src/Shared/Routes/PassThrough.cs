using System.Collections.Concurrent;
using Bff.Requests;
using Bff.Upstreams;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Bff.Routes;

/// <summary>
/// Forwards a request unchanged to a service, for endpoints whose path the host chooses but whose answer comes from one service. The rules
/// of a configured route apply: a 4xx of the service passes through, a 5xx becomes 502 without its body.
/// </summary>
public sealed class PassThrough
{
    private const string Root = "http://upstream";

    /// <summary>Same settings as those of the clusters of configured routes.</summary>
    internal static readonly ForwarderRequestConfig Exchange = new()
    {
        ActivityTimeout = IdleTimeouts.Stream,
        Version = System.Net.HttpVersion.Version11,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    private readonly ConcurrentDictionary<string, HttpMessageInvoker> _clients = new(StringComparer.Ordinal);
    private readonly IHttpForwarder _forwarder;
    private readonly HttpTransformer _shape;
    private readonly UpstreamSender _sender;
    private readonly UpstreamRegistry _registry;
    private readonly TimeProvider _time;

    internal PassThrough(
        IHttpForwarder forwarder,
        ITransformBuilder transforms,
        UpstreamSender sender,
        UpstreamRegistry registry,
        TimeProvider time
    )
    {
        _forwarder = forwarder;
        _shape = transforms.Create(RoutesRegistration.Shape);
        _sender = sender;
        _registry = registry;
        _time = time;
    }

    /// <summary>Forwards the request and returns the service's answer.</summary>
    /// <param name="context">The request, with its body unread.</param>
    /// <param name="call">Names the service and its path; method, query and body come from the request.</param>
    /// <exception cref="ProblemException">404: a value would change the structure of the path.</exception>
    public Task Send<T>(HttpContext context, UpstreamCall<T> call) => Send(context, ((IDeclaredCall)call).Request);

    /// <inheritdoc cref="Send{T}(HttpContext, UpstreamCall{T})"/>
    public Task Send<T>(HttpContext context, UpstreamWrite<T> call) => Send(context, ((IDeclaredCall)call.Call).Request);

    private Task Send(HttpContext context, WrittenRequest at)
    {
        if (at.IsRefused)
        {
            throw new ProblemException(new Problem(ProblemCodes.NotFound));
        }

        var client = _clients.GetOrAdd(
            at.Upstream.Name,
            name => new HttpMessageInvoker(new PassThroughHandler(name, _sender, _registry, _time))
        );
        var path = string.Concat("/", at.Path);
        return RequestBodies.Pass(context, async c => await _forwarder.SendAsync(c, Root, client, Exchange, new AtPath(_shape, path)));
    }

    private sealed class AtPath(HttpTransformer shape, string path) : HttpTransformer
    {
        public override async ValueTask TransformRequestAsync(
            HttpContext context,
            HttpRequestMessage request,
            string prefix,
            CancellationToken cancellation
        )
        {
            await shape.TransformRequestAsync(context, request, prefix, cancellation);
            request.RequestUri = new Uri(prefix + path + context.Request.QueryString.ToUriComponent());
        }

        public override ValueTask<bool> TransformResponseAsync(
            HttpContext context,
            HttpResponseMessage? response,
            CancellationToken cancellation
        ) => shape.TransformResponseAsync(context, response, cancellation);

        public override ValueTask TransformResponseTrailersAsync(
            HttpContext context,
            HttpResponseMessage response,
            CancellationToken cancellation
        ) => shape.TransformResponseTrailersAsync(context, response, cancellation);
    }
}
