using Bff.Upstreams;
using Yarp.ReverseProxy.Forwarder;

namespace Bff.Routes;

/// <summary>Gives YARP a client that uses the upstream's resilience, so that routes and typed clients behave alike.</summary>
internal sealed class PassThroughClientFactory(UpstreamSender sender, UpstreamRegistry registry, TimeProvider time)
    : IForwarderHttpClientFactory
{
    public HttpMessageInvoker CreateClient(ForwarderHttpClientContext context) =>
        new(new PassThroughHandler(context.ClusterId, sender, registry, time));
}
