using System.Diagnostics;

namespace Architecture.Tests.Deploy;

/// <summary>Tests what reaches the cluster: every value is filled in, and the parts agree with each other.</summary>
public sealed class RenderedTests
{
    private static readonly string[] Placeholders =
    [
        "host",
        "https://host",
        "in-cluster",
        "host;in-cluster",
        "ingress-range",
        "ingress-namespace",
        "ingress-class",
        "authority",
        "gateway-secrets",
    ];

    public static TheoryData<string, string> Overlays => Source.Teams;

    [KubectlTheory]
    [MemberData(nameof(Overlays))]
    public void No_value_is_left_out(string host, string team)
    {
        var text = Kustomize.Build("kubernetes/overlays/" + team);
        var values = text.Split('\n')
            .Select(l =>
                l.Contains(": ", StringComparison.Ordinal) ? l[(l.IndexOf(": ", StringComparison.Ordinal) + 2)..] : l.TrimStart(' ', '-')
            )
            .ToHashSet();

        Assert.Empty(values.Intersect(Placeholders));
        Assert.DoesNotContain("local-config", text, StringComparison.Ordinal);
        Assert.Contains(host, text, StringComparison.Ordinal);
    }

    /// <summary>
    /// The host answers 400 to a name it does not know, so a probe by such a name would keep the pod from ever being ready.
    /// </summary>
    [KubectlTheory]
    [MemberData(nameof(Overlays))]
    public void A_pod_answers_to_every_name_that_is_used_for_it(string host, string team)
    {
        var built = Yaml.Parse(Kustomize.Build("kubernetes/overlays/" + team));
        var container = Container(built);
        var allowed = Env(container, "AllowedHosts").Split(';');
        var service = built.Of("Service")["metadata.name"].Text + "." + built.Of("Service")["metadata.namespace"].Text;
        var probed = ((string[])["startupProbe", "livenessProbe", "readinessProbe"]).Select(p =>
            Assert.Single(container[p]["httpGet.httpHeaders"].Items)["value"].Text
        );
        var rule = Assert.Single(built.Of("Ingress")["spec.rules"].Items);

        Assert.All(probed.Append(rule["host"].Text), name => Assert.Equal(allowed[0], name));
        Assert.Equal("https://" + allowed[0], Env(container, "PublicUrl"));
        Assert.Superset(new HashSet<string> { service, service + ".svc", service + ".svc.cluster.local" }, allowed.ToHashSet());
        Assert.Equal(host, Env(container, "OTEL_SERVICE_NAME"));
    }

    /// <summary>The init container finds what the gateway would find, and has no more rights.</summary>
    [KubectlTheory]
    [MemberData(nameof(Overlays))]
    public void Settings_are_checked_by_the_image_and_with_the_environment_of_the_gateway(string host, string team)
    {
        var built = Yaml.Parse(Kustomize.Build("kubernetes/overlays/" + team));
        var gateway = Container(built);
        var check = Assert.Single(built.Of("Deployment")["spec.template.spec.initContainers"].Items);
        var settings = check["env"].Items.Select(e => (e["name"].Text, e["value"].Text)).ToList();

        Assert.Equal(["--check-settings"], check["args"].Items.Select(a => a.Text));
        Assert.Equal(gateway["image"].Text, check["image"].Text);
        Assert.Subset(gateway["env"].Items.Select(e => (e["name"].Text, e["value"].Text)).ToHashSet(), settings.ToHashSet());
        Assert.Contains(settings, s => s.Item1.StartsWith("Authentication__", StringComparison.Ordinal));
        Assert.Equal(gateway["envFrom"].Items.Single()["secretRef.name"].Text, check["envFrom"].Items.Single()["secretRef.name"].Text);
        Assert.Equal("/settings", Assert.Single(check["volumeMounts"].Items)["mountPath"].Text);
        Assert.Equal("true", check["securityContext.readOnlyRootFilesystem"].Text);
        Assert.NotEmpty(host);
    }

    /// <summary>A runtime that sees the node's processors decodes pictures on half of them and keeps a heap for each.</summary>
    [KubectlTheory]
    [MemberData(nameof(Overlays))]
    public void A_pod_takes_no_more_processors_than_it_is_given(string host, string team)
    {
        var container = Container(Yaml.Parse(Kustomize.Build("kubernetes/overlays/" + team)));

        Assert.NotEmpty(container["resources.limits.cpu"].Text);
        Assert.Equal(container["resources.limits.cpu"].Text, Env(container, "DOTNET_PROCESSOR_COUNT"));
        Assert.NotEmpty(host);
    }

    [KubectlTheory]
    [MemberData(nameof(Overlays))]
    public void An_ingress_has_a_class_and_the_time_that_streams_need(string host, string team)
    {
        var ingress = Yaml.Parse(Kustomize.Build("kubernetes/overlays/" + team)).Of("Ingress");
        var waits = ingress["metadata.annotations"]
            .Members.Where(m => m.Key.EndsWith("-timeout", StringComparison.Ordinal))
            .Select(m => m.Value.Text)
            .ToList();

        Assert.NotEmpty(ingress["spec.ingressClassName"].Text);
        Assert.Equal(["3600", "3600"], waits);
        Assert.NotEmpty(host);
    }

    /// <summary>The cluster pulls the image that the workflow pushes.</summary>
    [KubectlTheory]
    [MemberData(nameof(Overlays))]
    public void An_image_comes_from_where_the_workflow_puts_it(string host, string team)
    {
        var workflow = Yaml.Read($".github/workflows/{team}.yml")[0]["jobs.image.steps"]
            .Items.Single(s => s["id"].Text == "image")["with.images"]
            .Text;
        var image = Container(Yaml.Parse(Kustomize.Build("kubernetes/overlays/" + team)))["image"].Text;

        Assert.Equal(
            workflow.Replace("${{ github.repository_owner }}", "example", StringComparison.Ordinal),
            image[..image.LastIndexOf(':')]
        );
        Assert.NotEmpty(host);
    }

    /// <summary>A Gateway's route lets the same paths through as the Ingress, to the same service.</summary>
    [KubectlTheory]
    [InlineData("gateway-api", "mobile")]
    public void A_route_of_a_Gateway_opens_what_the_ingress_opens(string example, string team)
    {
        var route = Yaml.Parse(Kustomize.Build("kubernetes/examples/" + example)).Of("HTTPRoute");
        var overlay = Yaml.Parse(Kustomize.Build("kubernetes/overlays/" + team));
        var rule = Assert.Single(route["spec.rules"].Items);
        var backend = Assert.Single(rule["backendRefs"].Items);

        Assert.Equal(
            Assert.Single(overlay.Of("Ingress")["spec.rules"].Items)["http.paths"].Items.Select(p => (p["pathType"].Text, p["path"].Text)),
            rule["matches"].Items.Select(m => (m["path.type"].Text.Replace("Path", "", StringComparison.Ordinal), m["path.value"].Text))
        );
        Assert.Equal((overlay.Of("Service")["metadata.name"].Text, "80"), (backend["name"].Text, backend["port"].Text));
        Assert.Equal(overlay.Of("Ingress")["spec.rules"].Items.First()["host"].Text, Assert.Single(route["spec.hostnames"].Items).Text);
    }

    /// <summary>Covers names, and private and public addresses of both families, with any cluster DNS.</summary>
    [KubectlTheory]
    [MemberData(nameof(Overlays))]
    public void A_pod_reaches_names_and_the_internet_by_both_families(string host, string team)
    {
        var egress = Yaml.Parse(Kustomize.Build("kubernetes/overlays/" + team)).Of("NetworkPolicy")["spec.egress"].Items.ToList();
        var names = egress.Single(e => e["ports"].Items.Any(p => p["port"].Text == "53"));
        var internet = egress
            .Single(e => e["ports"].Items.Any(p => p["port"].Text == "443"))["to"]
            .Items.Select(t => t["ipBlock.cidr"].Text);

        Assert.Equal(["0.0.0.0/0", "::/0"], internet);
        Assert.Contains(names["to"].Items, t => t["ipBlock.cidr"].Text == "169.254.20.10/32");
        Assert.Equal(
            ["kube-system", "openshift-dns"],
            names["to"]
                .Items.SelectMany(t => t["namespaceSelector.matchExpressions"].Items)
                .SelectMany(m => m["values"].Items)
                .Select(v => v.Text)
        );
        Assert.NotEmpty(host);
    }

    /// <summary>The script lists every value of an installation; once it is filled in, nothing of the example is left.</summary>
    [KubectlFact]
    public void The_script_fills_in_every_value()
    {
        var copy = Directory.CreateTempSubdirectory("bff-fill-in-").FullName;
        try
        {
            Kustomize.Copy(copy);

            Assert.Contains("registry=", FillIn(copy), StringComparison.Ordinal);
            FillIn(
                copy,
                [
                    "registry=registry.corp/bff",
                    "authority=https://login.corp",
                    "ingress-class=inner",
                    "ingress-namespace=edge",
                    "ingress-range=10.9.0.0/24",
                    .. Source.Gateways.Select(g => $"{g.Team}.host={g.Team}.corp"),
                ]
            );

            foreach (var (_, team) in Source.Gateways)
            {
                var text = Kustomize.Build("kubernetes/overlays/" + team, copy);
                Assert.DoesNotContain("example", text.Replace("bff.example.com/", "", StringComparison.Ordinal), StringComparison.Ordinal);
                Assert.Contains($"registry.corp/bff/{team}-bff:", text, StringComparison.Ordinal);
                Assert.Contains($"value: {team}.corp;{team}-gateway.gateways;", text, StringComparison.Ordinal);
                Assert.All(
                    (string[])["https://login.corp", "10.9.0.0/24", "ingressClassName: inner", "- edge"],
                    v => Assert.Contains(v, text, StringComparison.Ordinal)
                );
            }
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }

    private static string FillIn(string root, params string[] values)
    {
        using var script = Process.Start(
            new ProcessStartInfo("bash", [Path.Combine(root, "eng/fill-in"), .. values]) { RedirectStandardOutput = true }
        )!;
        var output = script.StandardOutput.ReadToEnd();
        script.WaitForExit();
        Assert.Equal(0, script.ExitCode);
        return output;
    }

    private static Yaml Container(IEnumerable<Yaml> built) => Assert.Single(built.Of("Deployment")["spec.template.spec.containers"].Items);

    private static string Env(Yaml container, string name) => container["env"].Items.Single(e => e["name"].Text == name)["value"].Text;
}
