using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;

namespace Bff.OpenApi;

/// <summary>
/// Configures the host that the build starts once, without a server, to get its OpenAPI documents. That host has no configuration.
/// </summary>
internal static class DocumentGeneration
{
    /// <summary>Whether this is the process that the build runs (Microsoft.Extensions.ApiDescription.Server).</summary>
    public static bool IsRunning { get; } = Assembly.GetEntryAssembly()?.GetName().Name == "GetDocument.Insider";

    /// <summary>Gives that host its development settings, with embedded state. Has no effect in any other process.</summary>
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
