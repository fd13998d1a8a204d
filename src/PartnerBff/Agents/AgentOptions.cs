using Bff.Configuration;

namespace PartnerBff.Agents;

/// <summary>Section <c>Mcp</c>.</summary>
[Settings("Mcp")]
public sealed class AgentOptions
{
    /// <summary>Serves agents at <c>/mcp</c>; with <c>false</c> nothing is there.</summary>
    [Setting]
    public bool Enabled { get; set; } = true;
}
