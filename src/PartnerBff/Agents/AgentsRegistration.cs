using Bff.Configuration;
using Bff.Requests;
using Microsoft.Extensions.Options;

namespace PartnerBff.Agents;

/// <summary>Registers and maps the API for agents at <c>/mcp</c>.</summary>
internal static class AgentsRegistration
{
    /// <summary>Adds the operations of v1 as tools of the Model Context Protocol, if <see cref="AgentOptions.Enabled"/>.</summary>
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
        // The library logs each message, and mistakes of clients as errors; AgentCalls logs unexpected errors itself.
        builder.Logging.AddFilter("ModelContextProtocol", LogLevel.None);
        return builder;
    }

    /// <summary>
    /// Maps one endpoint for every caller, because permissions and cost are those of the request that a message becomes. The message takes
    /// no place in the concurrency limit; that request does.
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
