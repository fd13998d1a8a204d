using Bff.Configuration;

namespace PartnerBff.Agents;

/// <summary>Section <c>Mcp</c>.</summary>
[Settings("Mcp")]
public sealed class AgentOptions
{
    /// <summary>Whether the host serves agents at <c>/mcp</c>. With <c>false</c> that path does not exist.</summary>
    [Setting]
    public bool Enabled { get; set; } = true;
}
