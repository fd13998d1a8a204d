using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Bff.Callers.ApiKeys;
using Bff.EndToEnd.Tests.RollingRestart;
using Bff.TestKit;

namespace Bff.EndToEnd.Tests.Images;

/// <summary>
/// Tests what is shipped, without a container engine: each image's file system (eng/image-root) runs as a pod (eng/in-image) with the
/// environment and the settings of its overlay. Only addresses and secrets, which exist in a cluster alone, are replaced.
/// </summary>
public sealed partial class ImageTests : IAsyncLifetime
{
    private static readonly string Key = ApiKeyFormat.New(isTest: false);
    private readonly string _folder = Directory.CreateTempSubdirectory("bff-image-").FullName;
    private readonly RedisServer _redis = RedisServer.Run();
    private Surroundings _surroundings = null!;

    /// <summary>Every gateway that has an image, including one that the template has made.</summary>
    public static TheoryData<string> Gateways { get; } =
    [
        .. Directory
            .EnumerateDirectories(Checkout.At("src"))
            .Where(d => File.Exists(Path.Combine(d, "Dockerfile")))
            .Select(d => Path.GetFileName(d))
            .Order(StringComparer.Ordinal),
    ];

    private string Root => Path.Combine(_folder, "root");

    private string Settings => Path.Combine(_folder, "settings");

    /// <summary>Uses the image as its Dockerfile publishes it.</summary>
    [ImageTheory]
    [MemberData(nameof(Gateways))]
    public async Task An_image_is_checked_started_edited_rolled_and_killed_as_its_overlay_says(string gateway)
    {
        await Script("eng/image-root", gateway, Root);
        await Run(gateway);
    }

    /// <summary>Uses the output of these tests' own build, which takes only seconds.</summary>
    [ImageFact]
    public async Task A_gateway_is_checked_started_edited_rolled_and_killed_in_the_file_system_of_its_image()
    {
        var mine = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        await Script("eng/image-root", "MobileBff", Root, Checkout.At("src", "MobileBff", "bin", mine.Parent!.Name, mine.Name));
        await Run("MobileBff");
    }

    private async Task Run(string gateway)
    {
        var overlay = gateway.Replace("Bff", "", StringComparison.Ordinal).ToLowerInvariant();
        var path = gateway switch
        {
            "MobileBff" => "/home-feed",
            "WebBff" => "/api/dashboard",
            "PartnerBff" => "/v1/orders",
            _ => "/welcome",
        };
        var rendered = await Script("kubectl", "kustomize", "deploy/kubernetes/overlays/" + overlay);
        var shipped = await File.ReadAllTextAsync(Checkout.At("deploy", "kubernetes", "overlays", overlay, "settings.json"));
        var environment = Environment(gateway, rendered, "containers");

        // The init container checks the settings, with its own environment, before the gateway starts.
        var settings = JsonNode.Parse(shipped)!;
        var service = settings["Upstreams"]!.AsObject().First().Key;
        settings["Upstreams"]![service]!["Timout"] = "00:00:01";
        await Edit(settings.ToJsonString());
        Assert.Contains($"Upstreams:{service}:Timout: ", await Check(gateway, rendered, code: 1), StringComparison.Ordinal);
        await Edit(shipped);
        Assert.Contains("The settings have no mistake.", await Check(gateway, rendered, code: 0), StringComparison.Ordinal);
        await using var first = await Start(gateway, environment);

        // The manifest demands an unprivileged user and a read-only file system. The gateway was warm when it became ready.
        Assert.Matches("Uid:\t1654\t1654", await File.ReadAllTextAsync($"/proc/{first.Id}/status"));
        Assert.Matches("NoNewPrivs:\t1", await File.ReadAllTextAsync($"/proc/{first.Id}/status"));
        Assert.Contains(await File.ReadAllLinesAsync($"/proc/{first.Id}/mountinfo"), l => Regex.IsMatch(l, @"^\S+ \S+ \S+ \S+ / ro\b"));
        Assert.DoesNotContain("the first requests are slower", first.Output, StringComparison.Ordinal);
        await Answers(first, path);
        if (gateway == "MobileBff")
        {
            using var picture = Request("/images/p-1.jpg?w=96");
            picture.Headers.Accept.Add(new("image/webp"));
            using var answer = await first.Client.SendAsync(picture);
            // Nothing that is installed on this machine was used.
            Assert.Equal((HttpStatusCode.OK, "image/webp"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        }

        // An edit arrives as that of a ConfigMap does: the link is swapped.
        settings = JsonNode.Parse(shipped)!;
        settings["Upstreams"]![service]!["MaxQueue"] = 63;
        await Edit(settings.ToJsonString());
        await first.Prints("A new configuration is in use");

        // Rolled under load: the next one gets requests once it is ready, and the first one finishes its own.
        await using var balancer = new Balancer(
            Probe(rendered, "periodSeconds") * TimeSpan.FromSeconds(1),
            Probe(rendered, "failureThreshold")
        );
        balancer.Add(first);
        await Eventually.True(() => balancer.IsSentTo(first), GatewayProcess.WaitLimit);
        using var enough = new CancellationTokenSource();
        var load = Load(balancer, path, enough.Token);
        await using var second = await Start(gateway, environment);
        balancer.Add(second);
        await Eventually.True(() => balancer.IsSentTo(second), GatewayProcess.WaitLimit);
        await first.Terminate();
        Assert.Equal(0, await first.Exit());
        await enough.CancelAsync();
        Assert.Empty(await load);

        // Killed: the replacement starts from the edited settings.
        await second.Kill();
        await using var third = await Start(gateway, environment);
        await Answers(third, path);
    }

    public async Task InitializeAsync() => _surroundings = await Surroundings.StartAsync();

    public async Task DisposeAsync()
    {
        await _surroundings.DisposeAsync();
        _redis.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<GatewayProcess> Start(string gateway, Dictionary<string, string?> environment) =>
        await GatewayProcess.Start(InImage(gateway, environment), _surroundings, environment, environment["AllowedHosts"]!.Split(';')[0]);

    /// <returns>The output of the check.</returns>
    private async Task<string> Check(string gateway, string rendered, int code)
    {
        using var check = Process.Start(InImage(gateway, Environment(gateway, rendered, "initContainers"), "--check-settings"))!;
        var (output, errors) = (check.StandardOutput.ReadToEndAsync(), check.StandardError.ReadToEndAsync());
        await check.WaitForExitAsync().WaitAsync(GatewayProcess.WaitLimit);
        Assert.True(check.ExitCode == code, await output + await errors);
        return await output + await errors;
    }

    private ProcessStartInfo InImage(string gateway, Dictionary<string, string?> environment, params string[] arguments) =>
        new(
            "bash",
            [Checkout.At("eng", "in-image"), Root, Settings, gateway, .. environment.Select(e => $"{e.Key}={e.Value}"), .. arguments]
        )
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

    /// <summary>Returns the environment of the overlay's pod, with the addresses and secrets of this machine.</summary>
    private Dictionary<string, string?> Environment(string gateway, string rendered, string containers)
    {
        var pod = rendered[rendered.IndexOf("kind: Deployment", StringComparison.Ordinal)..];
        pod = pod[pod.IndexOf($"\n      {containers}:", StringComparison.Ordinal)..];
        var environment = Variable()
            .Matches(pod[..pod.IndexOf("envFrom:", StringComparison.Ordinal)])
            .ToDictionary(m => m.Groups["name"].Value, m => (string?)m.Groups["value"].Value.Trim('"'), StringComparer.Ordinal);
        Assert.Contains("AllowedHosts", environment.Keys);

        var here = Generous
            .Settings()
            .WithAttempts(_surroundings.Services)
            .With(_surroundings.GatewaySettings)
            .With([
                new("ASPNETCORE_HTTP_PORTS", "0"),
                new("ConnectionStrings:redis", _redis.ConnectionString),
                new("Shutdown:Delay", "00:00:06"), // Longer than a stalled balancer needs to notice.
                new("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"), // There is no collector, and no name to resolve.
            ]);
        if (gateway != "MobileBff")
        {
            here["Session:ClientSecret"] = gateway == "WebBff" ? "web-bff-development-secret" : "partner-portal-development-secret";
        }

        if (gateway == "PartnerBff")
        {
            (here["ApiKeys:Pepper"], here["ApiKeys:Bootstrap:acme"]) = ("a-pepper-of-a-test-that-is-long-enough", Key);
        }

        foreach (var (name, value) in here)
        {
            environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        return environment;
    }

    /// <summary>Returns a setting of the readiness probe, which the balancer uses too.</summary>
    private static int Probe(string rendered, string member) =>
        int.Parse(
            Regex.Match(rendered[rendered.IndexOf("readinessProbe:", StringComparison.Ordinal)..], member + ": ([0-9]+)").Groups[1].Value,
            System.Globalization.CultureInfo.InvariantCulture
        );

    /// <summary>Edits the settings as the kubelet does: writes a new folder and renames one link.</summary>
    private async Task Edit(string settings)
    {
        var latest = $"..{Guid.NewGuid():N}";
        Directory.CreateDirectory(Path.Combine(Settings, latest));
        File.WriteAllText(Path.Combine(Settings, latest, "appsettings.json"), settings);
        var next = Path.Combine(Settings, "..next");
        File.CreateSymbolicLink(next, latest);
        await Script("mv", "-T", next, Path.Combine(Settings, "..data"));
        if (!Path.Exists(Path.Combine(Settings, "appsettings.json")))
        {
            File.CreateSymbolicLink(Path.Combine(Settings, "appsettings.json"), "..data/appsettings.json");
        }
    }

    /// <returns>The requests that were not answered with 200.</returns>
    private async Task<List<string>> Load(Balancer balancer, string path, CancellationToken enough)
    {
        var lost = new List<string>();
        while (!enough.IsCancellationRequested)
        {
            try
            {
                using var answer = await balancer.Send(() => Request(path)).Answer;
                if (answer.StatusCode != HttpStatusCode.OK)
                {
                    lost.Add($"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(CancellationToken.None)}");
                }
            }
            catch (Exception broken) when (broken is HttpRequestException or InvalidOperationException or OperationCanceledException)
            {
                lost.Add(broken.ToString());
            }

            await Task.Delay(50, CancellationToken.None); // A constant rate, not the maximum of the machine.
        }

        return lost;
    }

    private async Task Answers(GatewayProcess gateway, string path)
    {
        using var answer = await gateway.Client.SendAsync(Request(path));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private HttpRequestMessage Request(string path) =>
        new(HttpMethod.Get, path)
        {
            Headers =
            {
                Authorization = new AuthenticationHeaderValue(
                    "Bearer",
                    path.StartsWith("/v1", StringComparison.Ordinal) ? Key : _surroundings.Token()
                ),
            },
        };

    private static async Task<string> Script(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(
            program.StartsWith("eng/", StringComparison.Ordinal) ? Checkout.At(program.Split('/')) : program,
            arguments
        )
        {
            WorkingDirectory = Checkout.Root,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var inherited in start.Environment.Keys.Where(k => k.StartsWith("MSBUILD", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(inherited); // The build must not use the build engine of the test run.
        }

        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(15));
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}\n{await output}\n{await errors}");
        return await output;
    }

    [GeneratedRegex(@"- name: (?<name>\S+)\n\s+value: (?<value>.*)")]
    private static partial Regex Variable();
}
