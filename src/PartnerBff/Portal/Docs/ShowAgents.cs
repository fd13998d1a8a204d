using Bff.Edge;
using PartnerBff.Agents;
using PartnerBff.Portal.Pages;

namespace PartnerBff.Portal.Docs;

/// <summary>Shows how to connect an agent and what it can do. Public; for partners a key of their own is filled in.</summary>
internal static class ShowAgents
{
    public static async Task<IResult> Handle(HttpContext context, PortalGate gate, DocsKeys keys, AgentTools tools)
    {
        var viewer = (await gate.Admit(context)).Viewer;
        var key = viewer is null ? null : await keys.Of(context, viewer);
        return await PortalPage.Render<AgentsPage>(
            context,
            new()
            {
                [nameof(AgentsPage.Viewer)] = viewer,
                [nameof(AgentsPage.Key)] = key,
                [nameof(AgentsPage.Address)] = PublicUrl.Of(context) + "/mcp",
                [nameof(AgentsPage.Tools)] = (await tools.All)
                    .Values.OrderBy(t => t.Told.Name, StringComparer.Ordinal)
                    .Select(t => new ToolRow(t.Told.Name, t.Told.Title!, t.Scope, Kind(t)))
                    .ToList(),
            }
        );
    }

    private static string Kind(AgentTool tool) =>
        tool.Told.Annotations switch
        {
            { ReadOnlyHint: true } => "reads",
            { DestructiveHint: true } => "changes",
            _ => "adds",
        };
}

/// <summary>A tool in the page's list.</summary>
/// <param name="Name">The name that agents use.</param>
/// <param name="Title">What the tool does.</param>
/// <param name="Scope">The scope that the key needs; null for none.</param>
/// <param name="Kind">How it affects existing data.</param>
public sealed record ToolRow(string Name, string Title, string? Scope, string Kind);
