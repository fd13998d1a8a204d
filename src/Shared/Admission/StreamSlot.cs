using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Bff.Admission;

/// <summary>The slot of a request that may become a stream; a feature of it. Given back once: when it streams, when a stream's client has nothing to say, or at the end.</summary>
internal sealed class StreamSlot(AdmissionGate gate, HttpContext context)
{
    private int _left;

    public Task Started()
    {
        var response = context.Response;
        if (response.StatusCode == StatusCodes.Status101SwitchingProtocols
            || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true }
            || response.ContentType is { } type
                && (type.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase) || type.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)))
        {
            Leave();
        }

        return Task.CompletedTask;
    }

    public void Leave()
    {
        if (Interlocked.Exchange(ref _left, 1) == 0)
        {
            gate.Leave();
        }
    }
}
