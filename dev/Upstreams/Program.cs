using System.Globalization;
using System.Text.Json;

namespace Bff.Dev.Upstreams;

/// <summary>
/// Runs the sample services as one process: <c>--base-port 9001 --host 127.0.0.1 --record true --notification-interval 5</c>.
/// </summary>
internal static class Program
{
    public static async Task Main(string[] args)
    {
        var settings = new ConfigurationBuilder().AddEnvironmentVariables("UPSTREAMS_").AddCommandLine(args).Build();
        await using var services = await SampleServices.StartAsync(SampleServicesOptions.From(settings));

        var addresses = services.All.ToDictionary(service => service.Name, service => service.Address.ToString().TrimEnd('/'));
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"ready {JsonSerializer.Serialize(addresses, ControlJson.Default.DictionaryStringString)}"
            )
        );
        await services.WaitForShutdownAsync();
    }
}
