using Bff.Upstreams;
using Yarp.ReverseProxy.Forwarder;

namespace Bff.Routes;

/// <summary>Gives YARP a client that sends through the upstream's own resilience: what holds for typed clients holds for routes.</summary>
internal sealed class PassThroughClientFactory(UpstreamSender sender, UpstreamRegistry registry, TimeProvider time)
    : IForwarderHttpClientFactory
{
    public HttpMessageInvoker CreateClient(ForwarderHttpClientContext context) =>
        new(new PassThroughHandler(context.ClusterId, sender, registry, time));
}
