using System.Text.Json;

namespace Architecture.Tests.Deploy;

/// <summary>The manifests and the gateways agree.</summary>
public sealed partial class ManifestTests
{
    private const string Base = "deploy/kubernetes/base/";

    public static TheoryData<string, string> Overlays => Source.Teams;

    public static TheoryData<string> Manifests =>
        new(
            Directory
                .EnumerateFiles(Path.Combine(Source.Root, "deploy"), "*.y*ml", SearchOption.AllDirectories)
                .Select(f => Path.GetRelativePath(Source.Root, f))
        );

    [Theory]
    [MemberData(nameof(Manifests))]
    public void Every_manifest_can_be_read_and_says_what_it_is(string file)
    {
        foreach (var document in Yaml.Read(file).Where(_ => file.StartsWith("deploy/kubernetes", StringComparison.Ordinal)))
        {
            Assert.NotEmpty(document["apiVersion"].Text);
            Assert.NotEmpty(document["kind"].Text);
            Assert.True(document["kind"].Text is "Kustomization" or "Component" || document["metadata.name"].Text.Length > 0);
        }
    }

    [Fact]
    public void Every_resource_is_listed_and_every_listed_one_exists()
    {
        foreach (
            var kustomization in Directory.EnumerateFiles(
                Path.Combine(Source.Root, "deploy"),
                "kustomization.yaml",
                SearchOption.AllDirectories
            )
        )
        {
            var folder = Path.GetDirectoryName(kustomization)!;
            var listed = Yaml.Read(kustomization)[0]["resources"].Items.Select(r => r.Text).ToList();

            Assert.Empty(listed.Where(r => !Path.Exists(Path.Combine(folder, r))).ToList());
            Assert.Empty(
                Directory
                    .EnumerateFiles(folder, "*.yaml")
                    .Select(f => Path.GetFileName(f)!)
                    .Except(["kustomization.yaml", "config.yaml"])
                    .Except(listed)
            );
        }
    }

    /// <summary>
    /// A client in a known network can forge its own address. A range that holds nodes or other pods would let a client behind an
    /// address-translating balancer do so.
    /// </summary>
    [Fact]
    public void Only_the_ingress_is_trusted_with_forwarded_headers()
    {
        var range = Yaml.Read("deploy/kubernetes/installation/values.yaml")[0]["data.ingress-range"].Text;

        Assert.InRange(System.Net.IPNetwork.Parse(range).PrefixLength, 24, 32);
        Assert.Contains(range, File.ReadAllText(Path.Combine(Source.Root, "docs/operations.md")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_pod_has_no_rights_that_a_gateway_does_not_need()
    {
        var pod = Yaml.Read(Base + "deployment.yaml")[0]["spec.template.spec"];
        var container = Assert.Single(pod["containers"].Items);

        Assert.Equal("true", pod["securityContext.runAsNonRoot"].Text);
        Assert.Equal("RuntimeDefault", pod["securityContext.seccompProfile.type"].Text);
        Assert.Equal("false", pod["automountServiceAccountToken"].Text);
        Assert.Equal("true", container["securityContext.readOnlyRootFilesystem"].Text);
        Assert.Equal("false", container["securityContext.allowPrivilegeEscalation"].Text);
        Assert.Equal(["ALL"], container["securityContext.capabilities.drop"].Items.Select(c => c.Text));
        Assert.Equal(2, pod["topologySpreadConstraints"].Items.Count());
    }

    [Fact]
    public void A_pod_has_probes_that_gateways_answer_and_the_time_that_they_need_to_stop()
    {
        var pod = Yaml.Read(Base + "deployment.yaml")[0]["spec.template.spec"];
        var container = pod["containers"].Items.First();
        var delay = container["env"].Items.Single(e => e["name"].Text == "Shutdown__Delay")["value"].Text;
        var readiness = container["readinessProbe"];

        Assert.Equal("/health/live", container["livenessProbe.httpGet.path"].Text);
        Assert.Equal("/health/ready", readiness["httpGet.path"].Text);
        var noticed = Number(readiness["periodSeconds"]) * Number(readiness["failureThreshold"]);
        Assert.True(noticed < TimeSpan.Parse(delay, null).TotalSeconds, "The balancer notices after the host has stopped waiting for it.");
        Assert.True(Number(pod["terminationGracePeriodSeconds"]) >= TimeSpan.Parse(delay, null).TotalSeconds + 30);
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void An_overlay_has_all_parts_and_names_its_own_host_alone(string host, string overlay)
    {
        var folder = $"deploy/kubernetes/overlays/{overlay}/";
        var text = string.Concat(Directory.EnumerateFiles(Path.Combine(Source.Root, folder)).Select(File.ReadAllText));

        Assert.Equal(
            ["deployment.yaml", "hpa.yaml", "networkpolicy.yaml", "pdb.yaml", "service.yaml", "serviceaccount.yaml"],
            Yaml.Read(Base + "kustomization.yaml")[0]["resources"].Items.Select(r => r.Text).Order()
        );
        Assert.Contains($"value: {host} ", text, StringComparison.Ordinal);
        Assert.All(Source.Hosts.Where(h => h != host), other => Assert.DoesNotContain(other, text, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void The_public_paths_are_those_of_the_contract_and_not_the_internal_surface(string host, string overlay)
    {
        var rule = Assert.Single(Yaml.Read($"deploy/kubernetes/overlays/{overlay}/ingress.yaml")[0]["spec.rules"].Items);
        var open = rule["http.paths"].Items.Select(p => p["path"].Text).ToList();
        var promised = Directory.EnumerateFiles(Path.Combine(Source.Root, "contracts"), overlay + "*.json").SelectMany(Paths).ToList();

        Assert.NotEmpty(promised);
        Assert.Empty(promised.Where(p => !open.Any(o => p == o || p.StartsWith(o + "/", StringComparison.Ordinal))).ToList());
        Assert.All(
            rule["http.paths"].Items,
            p => Assert.True(p["path"].Text == "/" ? p["pathType"].Text == "Exact" : PublicPath().IsMatch(p["path"].Text), p["path"].Text)
        );
        Assert.Empty(open.Intersect(["/internal", "/health", "/.well-known"]));
        Assert.NotNull(host);
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public void Every_upstream_of_a_host_has_an_address(string host, string overlay)
    {
        using var settings = JsonDocument.Parse(
            File.ReadAllText(Path.Combine(Source.Root, $"deploy/kubernetes/overlays/{overlay}/settings.json"))
        );
        using var development = JsonDocument.Parse(File.ReadAllText(Path.Combine(Source.Root, $"src/{host}/appsettings.Development.json")));

        Assert.Equal(Names(development), Names(settings));

        static IEnumerable<string> Names(JsonDocument document) =>
            document.RootElement.GetProperty("Upstreams").EnumerateObject().Select(u => u.Name).Order();
    }

    [Fact]
    public void Only_gateways_and_services_may_call_services_and_redis()
    {
        foreach (var file in (string[])["services", "redis"])
        {
            var policy = Yaml.Read($"deploy/kubernetes/services/{file}.yaml")[0];
            var from = policy["spec.ingress"].Items.SelectMany(i => i["from"].Items).ToList();

            Assert.Equal(["Ingress"], policy["spec.policyTypes"].Items.Select(t => t.Text));
            Assert.All(
                from.Where(f => f["namespaceSelector"].Exists),
                f =>
                    Assert.Contains(
                        (
                            f["namespaceSelector.matchLabels"].Members.Single().Value.Text,
                            f["podSelector.matchLabels"].Members.Single().Value.Text
                        ),
                        new[] { ("gateways", "true"), ("telemetry", "prometheus") }
                    )
            );
            // Pods of the same namespace: services call each other and their stores, and Redis nodes call each other.
            Assert.Contains(from, f => !f["namespaceSelector"].Exists && f["podSelector"].Exists && !f["podSelector"].Members.Any());
            Assert.Contains(from, f => f["podSelector.matchLabels"].Members.Any(m => m.Key == "bff.example.com/gateway"));
        }
    }

    private static int Number(Yaml value) => int.Parse(value.Text, System.Globalization.CultureInfo.InvariantCulture);

    private static IEnumerable<string> Paths(string contract)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(contract));
        return [.. document.RootElement.GetProperty("paths").EnumerateObject().Select(p => p.Name)];
    }

    [System.Text.RegularExpressions.GeneratedRegex("^/[a-z0-9-]+$")]
    private static partial System.Text.RegularExpressions.Regex PublicPath();
}
