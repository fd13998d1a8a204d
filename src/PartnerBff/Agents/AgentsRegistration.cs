using Bff.Configuration;
using Bff.Requests;
using Microsoft.Extensions.Options;

namespace PartnerBff.Agents;

/// <summary>The API for agents, at <c>/mcp</c>.</summary>
internal static class AgentsRegistration
{
    /// <summary>The operations of v1 as tools of the Model Context Protocol, where <see cref="AgentOptions.Enabled"/>.</summary>
    public static WebApplicationBuilder AddAgents(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSettings<AgentOptions>();
        services.AddSingleton<InnerRequests>();
        services.AddSingleton<AgentMetrics>();
        services.AddSingleton<AgentTools>();
        services.AddSingleton<AgentCalls>();
        services.AddSingleton<AgentServer>();
        services.AddSingleton<AgentEndpoint>();
        // It notes each message, and what clients do wrong as an error; what is unexpected AgentCalls says itself.
        builder.Logging.AddFilter("ModelContextProtocol", LogLevel.None);
        return builder;
    }

    /// <summary>
    /// One endpoint, for every caller: what a message may do, and what it costs, is decided for the request that it becomes. It has a place
    /// among those that are served at once when that request has.
    /// </summary>
    public static void MapAgents(this WebApplication app)
    {
        if (!app.Services.GetRequiredService<IOptions<AgentOptions>>().Value.Enabled)
        {
            return;
        }

        app.MapPost("/mcp", static context => context.RequestServices.GetRequiredService<AgentEndpoint>().Post(context))
            .WithMetadata(new CallerRule(null))
            .Named("mcp")
            .ChargedWithinEndpoint()
            .NeverShed()
            .ExcludeFromDescription();
    }
}
