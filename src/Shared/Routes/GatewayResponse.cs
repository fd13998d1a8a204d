using System.Net;
using System.Net.Http.Headers;
using Bff.Upstreams;

namespace Bff.Routes;

/// <summary>Stands for an answer that never came.</summary>
internal sealed class GatewayResponse : HttpResponseMessage
{
    public GatewayResponse(UpstreamOutcome outcome, TimeSpan? retryAfter)
        : base(
            outcome switch
            {
                UpstreamOutcome.Timeout => HttpStatusCode.GatewayTimeout,
                UpstreamOutcome.Unavailable => HttpStatusCode.ServiceUnavailable,
                _ => HttpStatusCode.BadGateway,
            }
        )
    {
        if (outcome == UpstreamOutcome.Unavailable)
        {
            Headers.RetryAfter = new RetryConditionHeaderValue(
                TimeSpan.FromSeconds(Math.Max(1, Math.Ceiling(retryAfter?.TotalSeconds ?? 1)))
            );
        }
    }
}
