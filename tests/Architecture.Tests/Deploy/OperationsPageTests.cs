using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Architecture.Tests.Deploy;

/// <summary>
/// Executes the page "On a fresh cluster" from top to bottom over a copy of the manifests, together with what docs/adding-a-bff.md says of
/// a fourth gateway if there is one. A program called kubectl stands in for the cluster: it builds what is applied and remembers what is
/// made, so the test can check that a namespace or secret is made before anything needs it.
/// </summary>
public sealed partial class OperationsPageTests
{
    private static readonly string[] OfTheCluster = ["", "default", "kube-system"];

    [KubectlFact]
    public void The_commands_of_the_page_bring_up_a_fresh_cluster_in_their_order()
    {
        var copy = Directory.CreateTempSubdirectory("bff-page-").FullName;
        try
        {
            var (namespaces, secrets, text) = (new HashSet<string>(OfTheCluster), new Dictionary<string, HashSet<string>>(), "");
            var (gateways, waited) = (new HashSet<string>(), new HashSet<string>());
            foreach (var (command, applied) in Execute(copy))
            {
                if (Secret().Match(command) is { Success: true } secret)
                {
                    Assert.Contains(secret.Groups["namespace"].Value, namespaces);
                    var keys = Literal().Matches(command).Select(m => m.Groups[1].Value);
                    secrets[$"{secret.Groups["namespace"].Value}/{secret.Groups["name"].Value}"] =
                    [
                        .. secret.Groups["kind"].Value == "tls" ? ["tls"] : keys,
                    ];
                }

                if (command.StartsWith("rollout status", StringComparison.Ordinal))
                {
                    waited.UnionWith(Waited().Matches(command).Select(m => m.Groups[1].Value));
                    Assert.Equal(gateways, waited);
                }

                foreach (var document in Yaml.Parse(applied))
                {
                    var (kind, name, space) = (document["kind"].Text, document["metadata.name"].Text, document["metadata.namespace"].Text);
                    Assert.True(namespaces.Contains(space), $"{command}: {kind} {name} is in the namespace {space}, which is not there.");
                    Assert.All(
                        Needed(document),
                        s =>
                            Assert.True(
                                secrets.ContainsKey($"{space}/{s}"),
                                $"{command}: {kind} {name} needs the secret {s}, which is not there."
                            )
                    );
                    _ = kind switch
                    {
                        "Namespace" => namespaces.Add(name),
                        "Deployment" when space == "gateways" => gateways.Add(name),
                        _ => false,
                    };
                }

                text += applied;
            }

            Assert.Equal(Source.Gateways.Select(g => g.Team + "-gateway").ToHashSet(), gateways);
            Assert.Equal(gateways, waited);
            // Every value is the installation's own.
            Assert.DoesNotContain("example", text.Replace("bff.example.com/", "", StringComparison.Ordinal), StringComparison.Ordinal);
            Assert.All(Source.Gateways, g => Assert.Equal(Variables(g.Host).Order(), secrets[$"gateways/{g.Team}-bff-secrets"].Order()));
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }

    /// <summary>Returns each call of kubectl with what it sent.</summary>
    private static IEnumerable<(string Command, string Applied)> Execute(string copy)
    {
        Kustomize.Copy(copy);

        var (calls, programs) = (
            Directory.CreateDirectory(Path.Combine(copy, "calls")).FullName,
            Directory.CreateDirectory(Path.Combine(copy, "programs")).FullName
        );
        var path = Environment.GetEnvironmentVariable("PATH");
        File.WriteAllText(
            Path.Combine(programs, "kubectl"),
            $"""
            #!/usr/bin/env bash
            set -euo pipefail
            call={calls}/$(printf %03d "$(ls {calls} | wc -l)")
            echo "$*" > "$call"
            if [ "$1 $2" = "apply -k" ]; then PATH='{path}' kubectl kustomize "$3" >> "$call"; fi
            """
        );
        using var page = Process.Start(
            new ProcessStartInfo("bash", ["-euo", "pipefail", "-c", string.Join('\n', Commands().Prepend("chmod +x programs/kubectl"))])
            {
                WorkingDirectory = copy,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                Environment = { ["PATH"] = $"{programs}:{path}" },
            }
        )!;
        var said = page.StandardError.ReadToEndAsync();
        page.StandardOutput.ReadToEnd();
        page.WaitForExit();
        Assert.True(page.ExitCode == 0, said.Result);
        return
        [
            .. Directory
                .EnumerateFiles(calls)
                .Order(StringComparer.Ordinal)
                .Select(File.ReadAllText)
                .Select(c => (c[..c.IndexOf('\n', StringComparison.Ordinal)], c[c.IndexOf('\n', StringComparison.Ordinal)..])),
        ];
    }

    private static List<string> Commands()
    {
        var commands = Blocks("docs/operations.md", "## On a fresh cluster").ToList();
        Assert.Contains("kubectl apply -k deploy/kubernetes/namespaces", commands);
        return Source.Gateways.Count == Source.Hosts.Length
            ? commands
            : [.. commands, .. Blocks("docs/adding-a-bff.md", "## On the cluster")];
    }

    /// <summary>Returns the code blocks from the heading to the next one.</summary>
    private static IEnumerable<string> Blocks(string page, string heading)
    {
        var isCode = false;
        foreach (var line in Page(page).SkipWhile(l => l != heading).Skip(1).TakeWhile(l => !l.StartsWith("## ", StringComparison.Ordinal)))
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
            {
                isCode = line == "```sh";
            }
            else if (isCode)
            {
                yield return line;
            }
        }
    }

    /// <summary>Returns the secrets without which a pod does not start or an ingress has no certificate.</summary>
    private static IEnumerable<string> Needed(Yaml document) =>
        document
            .All("secretRef")
            .Select(s => s["name"].Text)
            .Concat(document["kind"].Text == "Ingress" ? document.All("secretName").Select(s => s.Text) : []);

    /// <summary>Returns the variables that the page's table of secrets requires of a host.</summary>
    private static IEnumerable<string> Variables(string host) =>
        from row in Page("docs/operations.md").Select(l => SecretRow().Match(l))
        where row.Success && (row.Groups["hosts"].Value == "all" || row.Groups["hosts"].Value.Contains(host, StringComparison.Ordinal))
        from variable in Variable().Matches(row.Groups["variables"].Value).Select(v => v.Groups[1].Value)
        where !variable.Contains('<', StringComparison.Ordinal)
        select variable;

    private static string[] Page(string page) => File.ReadAllLines(Path.Combine(Source.Root, page));

    [GeneratedRegex(@"^create secret (?<kind>generic|tls) (?<name>\S+) -n (?<namespace>\S+)")]
    private static partial Regex Secret();

    [GeneratedRegex(@"--from-literal=([^=]+)=\S")]
    private static partial Regex Literal();

    [GeneratedRegex(@"deployment/(\S+)")]
    private static partial Regex Waited();

    [GeneratedRegex(@"^\| (?<hosts>all|[^|`]*Bff[^|]*) \| (?<variables>`\w+__[^|]*) \|$")]
    private static partial Regex SecretRow();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Variable();
}
