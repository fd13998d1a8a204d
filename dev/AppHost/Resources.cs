using Bff.Dev.Stack;

namespace Bff.Dev.AppHost;

/// <summary>Adds the stack's processes and services to the dashboard.</summary>
internal static class Resources
{
    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(10) };

    /// <summary>Commands for sample services: name, icon, and the fault to set.</summary>
    private static readonly (string Name, string Icon, FaultOrder Order)[] Commands =
    [
        ("slow", "Clock", new("delay", DelayMs: 1500)),
        ("failing", "ErrorCircle", new("status", Status: 500)),
        ("silent", "SpeakerMute", new("hang")),
        ("healthy", "HeartPulse", new("none")),
    ];

    /// <summary>Starts a process as the stack does. It is healthy when it serves, and sends its telemetry to the dashboard.</summary>
    public static IResourceBuilder<ExecutableResource> AddProcess(this IDistributedApplicationBuilder builder, StackProcess process)
    {
        var name = process.Name.Replace(' ', '-').ToLowerInvariant();
        var resource = builder
            .AddExecutable(
                name,
                "dotnet",
                Path.Combine(Repository.Root, process.Project),
                [Repository.Assembly(process.Project), .. process.Arguments]
            )
            .WithHttpEndpoint(port: process.Ready.Port, targetPort: process.Ready.Port, isProxied: false)
            .WithHttpHealthCheck(process.Ready.AbsolutePath)
            .WithOtlpExporter();
        foreach (var (key, value) in process.Environment)
        {
            if (value is not null)
            {
                resource.WithEnvironment(key, value);
            }
        }

        return resource;
    }

    /// <summary>Adds each sample service below their common process, with commands that break and heal it.</summary>
    public static void AddSampleServices(this IDistributedApplicationBuilder builder, IResourceBuilder<ExecutableResource> process)
    {
        foreach (var service in StackPlan.Services)
        {
            var resource = builder.AddExternalService(service, StackPlan.Address(service)).WithParentRelationship(process);
            foreach (var (name, icon, order) in Commands)
            {
                resource.WithCommand(
                    name,
                    char.ToUpperInvariant(name[0]) + name[1..],
                    context => Order(service, order, context.CancellationToken),
                    new CommandOptions
                    {
                        IconName = icon,
                        IsHighlighted = order.Mode == "none",
                        UpdateState = _ => ResourceCommandState.Enabled,
                    }
                );
            }
        }
    }

    private static async Task<ExecuteCommandResult> Order(string service, FaultOrder order, CancellationToken cancellation)
    {
        try
        {
            return await ServiceFaults.Order(Http, service, order, cancellation) is { } refusal
                ? CommandResults.Failure(refusal)
                : CommandResults.Success();
        }
        catch (HttpRequestException away)
        {
            return CommandResults.Failure(away.Message);
        }
    }
}
