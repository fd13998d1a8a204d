using Bff.Dev.AppHost;
using Bff.Dev.Stack;

// dotnet run --project dev/AppHost: starts the same processes as dev/Stack, under Aspire and with its dashboard.
var builder = DistributedApplication.CreateBuilder(args);
var redis = RedisResource.Add(builder);
var started = new List<IResourceBuilder<ExecutableResource>>();

foreach (var process in StackPlan.Processes(RedisResource.AddressOf(redis), serviceTokens: false, DevelopmentKey.New()))
{
    var isGateway = process.Project.StartsWith("src/", StringComparison.Ordinal);
    var resource = builder.AddProcess(process);
    if (isGateway)
    {
        started.ForEach(other => resource.WaitFor(other));
        if (redis is not null)
        {
            resource.WaitFor(redis);
        }
    }
    else
    {
        started.Add(resource);
    }

    if (process.Name == StackPlan.SampleServices)
    {
        builder.AddSampleServices(resource);
    }
}

builder.Build().Run();
