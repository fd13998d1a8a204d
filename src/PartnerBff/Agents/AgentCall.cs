using Bff.Requests;
using ModelContextProtocol.Protocol;

namespace PartnerBff.Agents;

/// <summary>What a message asks of this host, worked out before the protocol's own code reads it; a feature of the message's request.</summary>
internal sealed class AgentCall
{
    /// <summary>What the caller may call, when that is the question.</summary>
    public IReadOnlyList<Tool>? Listed { get; init; }

    /// <summary>What is called; null when there is no such tool, or something else is asked.</summary>
    public AgentTool? Tool { get; init; }

    /// <summary>What the call is for the host; null when it has a <see cref="Problem"/>.</summary>
    public InnerRequest? Request { get; init; }

    /// <summary>Why it can be no request.</summary>
    public Problem? Problem { get; init; }

    /// <summary>The request was sent, and with it all that a request costs.</summary>
    public bool IsSent { get; set; }
}
