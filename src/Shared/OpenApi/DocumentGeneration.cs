using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;

namespace Bff.OpenApi;

/// <summary>The build starts each host once, without a server, to ask for its OpenAPI documents; that host has no configuration of its own.</summary>
internal static class DocumentGeneration
{
    /// <summary>True in the process that the build runs (Microsoft.Extensions.ApiDescription.Server).</summary>
    public static bool IsRunning { get; } = Assembly.GetEntryAssembly()?.GetName().Name == "GetDocument.Insider";

    /// <summary>Lends that host its development settings, with embedded state; no effect in any other process.</summary>
    public static WebApplicationBuilder AddDocumentGeneration(this WebApplicationBuilder builder)
    {
        if (IsRunning)
        {
            builder.Environment.EnvironmentName = "Development";
            builder.Configuration.AddJsonFile("appsettings.Development.json", optional: true);
            builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:redis", ""), new("State:AllowEmbedded", "true")]);
        }

        return builder;
    }
}
