using System.Text.RegularExpressions;
using k8s;
using k8s.Models;
using NJsonSchema;
using YamlDotNet.Core;
using YamlDotNet.Serialization;

namespace Architecture.Tests.Deploy;

/// <summary>
/// The reader of a deployment file knows every member in it, and each has the expected type. Kubernetes' own models and the Compose
/// specification's schema (compose-spec.json beside this file, as published) tell.
/// </summary>
public sealed partial class SchemaTests
{
    private static readonly Dictionary<string, Type> Kinds = typeof(V1Deployment)
        .Assembly.GetTypes()
        .Select(t => (Type: t, Entity: (KubernetesEntityAttribute?)Attribute.GetCustomAttribute(t, typeof(KubernetesEntityAttribute))))
        .Where(t => t.Entity is not null)
        .ToDictionary(
            t => (t.Entity!.Group.Length > 0 ? t.Entity.Group + "/" : "") + t.Entity.ApiVersion + "/" + t.Entity.Kind,
            t => t.Type,
            StringComparer.Ordinal
        );

    public static TheoryData<string> Manifests =>
        new(
            Directory
                .EnumerateFiles(Path.Combine(Source.Root, "deploy"), "*.yaml", SearchOption.AllDirectories)
                .Where(f => Path.GetFileName(f) is not ("kustomization.yaml" or "config.yaml"))
                .Select(f => Path.GetRelativePath(Source.Root, f))
        );

    [Theory]
    [MemberData(nameof(Manifests))]
    public void Kubernetes_knows_every_member_of_a_manifest(string file) =>
        Assert.NotEqual(0, Read(File.ReadAllText(Path.Combine(Source.Root, file))));

    public static TheoryData<string> Applied =>
        new(
            Directory
                .EnumerateFiles(Path.Combine(Source.Root, "deploy"), "kustomization.yaml", SearchOption.AllDirectories)
                .Where(f => Yaml.Read(f)[0]["kind"].Text == "Kustomization")
                .Select(f => Path.GetRelativePath(Path.Combine(Source.Root, "deploy"), Path.GetDirectoryName(f)!))
                .Where(f => f != "kubernetes/installation")
        ); // These are values, which are not applied.

    /// <summary>Covers everything that can be applied, including patches, values and names.</summary>
    [KubectlTheory]
    [MemberData(nameof(Applied))]
    public void Kubernetes_knows_every_member_of_what_is_applied(string folder) => Assert.NotEqual(0, Read(Kustomize.Build(folder)));

    [Theory]
    [InlineData("spec: { replica: 2 }")]
    [InlineData("spec: { replicas: two }")]
    [InlineData("spec: { template: { spec: { containers: [ { name: a, readynessProbe: {} } ] } } }")]
    public void A_member_that_Kubernetes_does_not_know_is_noticed(string spec) =>
        Assert.ThrowsAny<Exception>(() => Read("apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: a }\n" + spec));

    [Fact]
    public async Task Compose_knows_every_member_of_the_composition() =>
        Assert.Empty(await Mistakes(File.ReadAllText(Path.Combine(Source.Root, "docker-compose.yml"))));

    [Theory]
    [InlineData("services: { a: { imag: x } }")]
    [InlineData("services: { a: { image: x, read_only: perhaps } }")]
    [InlineData("services: { a: { image: x, environment: { KEY: [ 1 ] } } }")]
    [InlineData("service: { a: { image: x } }")]
    public async Task A_member_that_Compose_does_not_know_is_noticed(string composition) => Assert.NotEmpty(await Mistakes(composition));

    /// <summary>Returns the number of documents; throws on an unknown member or another type.</summary>
    private static int Read(string manifests)
    {
        var documents = Separator().Split(manifests).Where(d => d.Split('\n').Any(l => l.Length > 0 && l[0] != '#')).ToList();
        foreach (var document in documents)
        {
            var head = KubernetesYaml.Deserialize<KubernetesObject>(document);
            if (head.ApiVersion.StartsWith("gateway.networking.k8s.io/", StringComparison.Ordinal))
            {
                continue; // An addition to Kubernetes that has no models here; see RenderedTests.
            }

            var read = typeof(KubernetesYaml)
                .GetMethod(nameof(KubernetesYaml.Deserialize), [typeof(string), typeof(bool)])!
                .MakeGenericMethod(Kinds[$"{head.ApiVersion}/{head.Kind}"]);
            Assert.NotNull(read.Invoke(null, [document, true]));
        }

        return documents.Count;
    }

    private static async Task<List<string>> Mistakes(string composition)
    {
        var schema = await JsonSchema.FromFileAsync(Path.Combine(Source.Root, "tests/Architecture.Tests/Deploy/compose-spec.json"));
        var parser = new MergingParser(new Parser(new StringReader(composition)));
        var document =
            (Dictionary<object, object?>)
                new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build().Deserialize<object>(parser)!;
        document.Remove("name"); // Every Compose since 2022 knows it, but the published schema's last release does not.
        var json = new SerializerBuilder().JsonCompatible().Build().Serialize(document);
        return [.. schema.Validate(json).Select(e => $"{e.Path}: {e.Kind}")];
    }

    [GeneratedRegex("^---.*$", RegexOptions.Multiline)]
    private static partial Regex Separator();
}
