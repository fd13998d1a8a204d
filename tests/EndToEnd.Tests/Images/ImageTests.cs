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
/// What is shipped, without a container engine: each image's file system (eng/image-root), run as a pod (eng/in-image) with the environment
/// and the settings of its overlay. Only what exists in a cluster alone is replaced: addresses and secrets.
/// </summary>
public sealed partial class ImageTests : IAsyncLifetime
{
    private static readonly string Key = ApiKeyFormat.New(isTest: false);
    private readonly string _folder = Directory.CreateTempSubdirectory("bff-image-").FullName;
    private readonly RedisServer _redis = RedisServer.Run();
    private Surroundings _surroundings = null!;

    /// <summary>Whatever has an image; one that the template made is among them.</summary>
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

    /// <summary>As its Dockerfile publishes it.</summary>
    [ImageTheory]
    [MemberData(nameof(Gateways))]
    public async Task An_image_is_checked_started_edited_rolled_and_killed_as_its_overlay_says(string gateway)
    {
        await Script("eng/image-root", gateway, Root);
        await Run(gateway);
    }

    /// <summary>The same with what the build of these tests made, in seconds.</summary>
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

        // Before the gateway: its settings are checked, with the environment that the init container has.
        var settings = JsonNode.Parse(shipped)!;
        var service = settings["Upstreams"]!.AsObject().First().Key;
        settings["Upstreams"]![service]!["Timout"] = "00:00:01";
        await Edit(settings.ToJsonString());
        Assert.Contains($"Upstreams:{service}:Timout: ", await Check(gateway, rendered, code: 1), StringComparison.Ordinal);
        await Edit(shipped);
        Assert.Contains("The settings have no mistake.", await Check(gateway, rendered, code: 0), StringComparison.Ordinal);
        await using var first = await Start(gateway, environment);

        // As the manifest says: nobody in particular, and nothing to write to. It was warm when it was ready.
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
            // With nothing of the machine's.
            Assert.Equal((HttpStatusCode.OK, "image/webp"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        }

        // An edit arrives as a ConfigMap's does: the link is swapped.
        settings = JsonNode.Parse(shipped)!;
        settings["Upstreams"]![service]!["MaxQueue"] = 63;
        await Edit(settings.ToJsonString());
        await first.Prints("A new configuration is in use");

        // Rolled under load: the next one is asked once it is ready, the first one finishes.
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

        // Killed: the one that takes its place starts from the edited settings.
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

    /// <returns>What it printed.</returns>
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

    /// <summary>That of the overlay's pod, with the addresses and the secrets of this machine.</summary>
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
                new("Shutdown:Delay", "00:00:06"), // The balancer takes notice though it stalls.
                new("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"), // No collector, and nothing that asks for its name.
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

    /// <summary>Of the readiness probe, which is the balancer's.</summary>
    private static int Probe(string rendered, string member) =>
        int.Parse(
            Regex.Match(rendered[rendered.IndexOf("readinessProbe:", StringComparison.Ordinal)..], member + ": ([0-9]+)").Groups[1].Value,
            System.Globalization.CultureInfo.InvariantCulture
        );

    /// <summary>As the kubelet does it: a new folder beside, and one rename.</summary>
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

    /// <returns>What was not answered with 200.</returns>
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

            await Task.Delay(50, CancellationToken.None); // A constant rate, not all that the machine can do.
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
            start.Environment.Remove(inherited); // The test run's own build engine is not this one's.
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
