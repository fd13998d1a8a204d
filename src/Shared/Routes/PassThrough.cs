using System.Collections.Concurrent;
using Bff.Requests;
using Bff.Upstreams;
using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Forwarder;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Bff.Routes;

/// <summary>
/// For endpoints that a service answers by itself but whose path the host makes: the request goes on as it came, under the same rules as a
/// configured route. A service's 4xx passes through, its 5xx becomes 502 without its body.
/// </summary>
public sealed class PassThrough
{
    private const string Root = "http://upstream";

    /// <summary>As a cluster of the configured routes has it.</summary>
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

    /// <summary>Sends the request on and its answer back.</summary>
    /// <param name="context">The request, with its body unread.</param>
    /// <param name="call">Names the service and the path there; method, query and body are the request's own.</param>
    /// <exception cref="ProblemException">404: a value would change the meaning of the path.</exception>
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
