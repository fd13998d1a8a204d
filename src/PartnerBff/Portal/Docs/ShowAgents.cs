using Bff.Edge;
using PartnerBff.Agents;
using PartnerBff.Portal.Pages;

namespace PartnerBff.Portal.Docs;

/// <summary>How an agent is connected, and what it can then do; it is public, and partners find a key of their own filled in.</summary>
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

/// <summary>A tool, as the page lists it.</summary>
/// <param name="Name">As agents call it.</param>
/// <param name="Title">What it does.</param>
/// <param name="Scope">What the key needs for it; null: nothing in particular.</param>
/// <param name="Kind">What it does to what there is.</param>
public sealed record ToolRow(string Name, string Title, string? Scope, string Kind);
