using Bff.Requests;
using ModelContextProtocol.Protocol;

namespace PartnerBff.Agents;

/// <summary>
/// What a message asks of this host, determined before the protocol library reads it; a feature of the message's request.
/// </summary>
internal sealed class AgentCall
{
    /// <summary>The tools that the caller may call, if the message lists tools.</summary>
    public IReadOnlyList<Tool>? Listed { get; init; }

    /// <summary>The tool to call; null if there is no such tool, or the message is no call.</summary>
    public AgentTool? Tool { get; init; }

    /// <summary>The request that the call becomes; null if there is a <see cref="Problem"/>.</summary>
    public InnerRequest? Request { get; init; }

    /// <summary>Why the call cannot become a request.</summary>
    public Problem? Problem { get; init; }

    /// <summary>Whether the request was sent, so that it has been charged.</summary>
    public bool IsSent { get; set; }
}
