using System.Net;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Bff.Configuration;
using Bff.RateLimiting;
using Bff.Tenancy;
using Microsoft.Extensions.DependencyInjection;

namespace Architecture.Tests;

/// <summary>
/// Writes docs/configuration.md from the declarations of the settings types: a key's range is the one that refuses wrong values, its
/// default is the member's own, and its meaning is the member's summary. The three hosts tell who reads a key and whether an edit is taken
/// while running.
/// </summary>
internal sealed partial class ConfigurationPage(IReadOnlyDictionary<string, IServiceProvider> hosts)
{
    /// <summary>Headings with their sections, in the order of the page.</summary>
    private static readonly (string Heading, string[] Sections)[] Chapters =
    [
        ("State and life", ["ConnectionStrings", "State", "State:Redis", "Shutdown", "Admission", "AccessLog", "Audit", "Settings"]),
        ("Edge", ["", "Headers", "Kestrel:Limits"]),
        (
            "Callers",
            [
                "Authentication",
                "Authentication:Schemes:Bearer",
                "Authentication:Providers:<name>",
                "Authentication:Introspection",
                "Authentication:Revocation",
                "Identity",
                "ApiKeys",
                "Session",
            ]
        ),
        ("Plans, limits, tenants", ["FailedCredentials", "Plans:<name>", "Limits", "Limits:Endpoints:<name>", "Tenants:<id>"]),
        ("Compositions", ["Composition", "Composition:<endpoint>", "Composition:<endpoint>:<part>"]),
        (
            "Upstreams",
            [
                "Upstreams:<name>",
                "Upstreams:<name>:Breaker",
                "Upstreams:<name>:Canary",
                "Upstreams:<name>:Shadow",
                "Upstreams:<name>:Token",
                "Clients:<name>",
            ]
        ),
        (
            "Routes",
            [
                "ReverseProxy:Routes:<name>",
                "ReverseProxy:Routes:<name>:Match:Headers:<n>",
                "ReverseProxy:Routes:<name>:Match:QueryParameters:<n>",
            ]
        ),
        ("Events, partners, pictures, development", ["Events", "Versions:<v>", "Webhooks", "Mcp", "Images", "Spa"]),
    ];

    private const string Top = """
        # Configuration

        This page lists every key. It is generated from the code. Segments of a key are separated by `:` in files and by `__` in the environment (`Upstreams__orders__Timeout`). Time spans
        have the form `[days.]hh:mm:ss[.fff]`; `<n>` counts from 0; you choose the names in angle brackets. A value out of range, a missing required key and a key that the host does not read
        are mistakes. All mistakes are reported together, an unknown key with the known key that is most like it. At start a mistake stops the host; later it refuses the whole edit. *Live*
        keys take effect while the host runs, other keys at its next start. [Security](security.md#before-production) lists the keys that Production must set, [operations](operations.md#settings)
        explains how files are read.

        """;

    private const string Bottom = """

        `Sandbox:Upstreams:<name>` takes the keys of `Upstreams:<name>`. Requests with partners' test keys go to these services.

        ## The framework's own

        ASP.NET Core documents `Kestrel:*` and `Logging:LogLevel:<category>`, OpenTelemetry documents the `OTEL_*` variables. TLS is `Kestrel:Endpoints:<name>:Certificate`; `Kestrel:Limits` is above. Nothing is
        exported until `OTEL_EXPORTER_OTLP_ENDPOINT` is set.

        """;

    /// <summary>Every type that declares settings, by its section.</summary>
    public static ILookup<string, Type> Types { get; } =
        Source
            .Hosts.Prepend("Bff.Shared")
            .SelectMany(a => Source.Load(a).GetTypes())
            .Where(t => t.IsDefined(typeof(SettingsAttribute)))
            .ToLookup(t => t.GetCustomAttribute<SettingsAttribute>()!.Path);

    /// <summary>All settings in the order of the page.</summary>
    public static IEnumerable<Setting> Settings => Chapters.SelectMany(c => c.Sections).SelectMany(s => Types[s]).SelectMany(Setting.Of);

    public string Write()
    {
        var page = new List<string> { Top };
        foreach (var (heading, sections) in Chapters)
        {
            page.Add($"## {heading}\n\n| key | default | range | meaning | live | hosts |\n| --- | --- | --- | --- | --- | --- |");
            page.AddRange(sections.SelectMany(s => Types[s]).SelectMany(Setting.Of).Select(Row));
            page.Add("");
        }

        page.Add(
            "## Shipped plans\n\n| hosts | plan | `RequestsPerMinute` | `Burst` | `RequestsPerDay` | `MaxPayloadBytes` | `Endpoints` | `OnStoreFailure` |\n| --- | --- | --- | --- | --- | --- | --- | --- |"
        );
        page.AddRange(
            Enum.GetValues<PlanFamily>()
                .SelectMany(family =>
                    Shipped(family)
                        .Select(p =>
                            $"| {(family == PlanFamily.Partner ? "partner" : "mobile, web")} | `{p.Name}` | {p.RequestsPerMinute} | {p.Burst} | {p.RequestsPerDay} | {p.MaxPayloadBytes} | {(p.IsReadOnly ? "read-only" : "all")} | {p.OnStoreFailure} |"
                        )
                )
        );
        return (string.Join('\n', page) + Bottom)
            .Replace("\r", "", StringComparison.Ordinal)
            .Replace("\n\n\n", "\n\n", StringComparison.Ordinal);
    }

    public static string Meaning(Setting setting) => setting.Declared.Meaning ?? Summary(setting.Member);

    public static string Default(Setting setting) =>
        setting.Declared.Default ?? "`" + Setting.Write(setting.Member.GetValue(Initial(setting.Member.ReflectedType!))) + "`";

    /// <summary>Returns the hosts that read the key, and whether they read it again after an edit.</summary>
    public (string[] Hosts, bool Live) Readers(Setting setting)
    {
        var own = setting.Member.ReflectedType!.Assembly.GetName().Name;
        var reads = hosts
            .Where(h => own == "Bff.Shared" || own == h.Key)
            .Select(h =>
                (
                    Host: h.Key,
                    Reads: h.Value.GetServices<ConfigurationRead>()
                        .Where(r => (setting.Path + ":").StartsWith(r.Section + ":", StringComparison.OrdinalIgnoreCase))
                        .ToList()
                )
            )
            .ToList();
        return (
            [.. reads.Where(r => r.Reads.Count > 0 || own == r.Host).Select(r => r.Host)],
            !setting.IsAtStart && reads.Any(r => r.Reads.Any(x => x.Reloads))
        );
    }

    private static IEnumerable<Plan> Shipped(PlanFamily family) =>
        (IEnumerable<Plan>)
            typeof(Plan).Assembly.GetType("Bff.RateLimiting.ShippedPlans", throwOnError: true)!.GetMethod("Of")!.Invoke(null, [family])!;

    private string Row(Setting setting)
    {
        var (readers, live) = Readers(setting);
        var names =
            readers.Length == hosts.Count
                ? "all"
                : string.Join(", ", readers.Select(r => r.Replace("Bff", "", StringComparison.Ordinal).ToLowerInvariant()));
        return $"| `{setting.Path}{(setting.IsList ? ":<n>" : "")}` | {Default(setting)} | {setting.Range} | {Meaning(setting)} | {(live ? "yes" : "no")} | {names} |";
    }

    /// <summary>Creates an instance before anything is read; members that configuration must give stay empty.</summary>
    private static object Initial(Type settings) =>
        settings.GetConstructor(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic, []) is { } constructor
            ? constructor.Invoke([])
            : Parsed(settings);

    /// <summary>Returns the instance that a type's own reader makes of an empty configuration.</summary>
    private static object Parsed(Type settings)
    {
        var made = RuntimeHelpers.GetUninitializedObject(settings);
        var constructor = settings.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).First();
        constructor.Invoke(made, [.. constructor.GetParameters().Select(p => p.ParameterType == typeof(string) ? (object)"" : null)]);
        return made;
    }

    /// <summary>Reads a member's summary as plain text from its source, because hosts have no documentation files.</summary>
    private static string Summary(MemberInfo member)
    {
        var type = member.ReflectedType!;
        var folder = "src/" + type.Assembly.GetName().Name!.Replace("Bff.Shared", "Shared", StringComparison.Ordinal);
        var declaration = new Regex($@"\b(?:class|record) {type.Name}\b");
        var text = Source.Files(folder).Select(File.ReadAllText).Single(f => declaration.IsMatch(f));
        var summary = new Regex(
            $@"/// <summary>(?<text>(?:(?!</summary>)[\s\S])*)</summary>\n(?:\s*\[(?:[^\n]*\]|\w+\(\n(?:(?!\n\s*\)\])[\s\S])*\n\s*\)\])\n)*[^\n]* {member.Name}\b"
        ).Match(text, declaration.Match(text).Index);
        return summary.Success
            ? WebUtility.HtmlDecode(Tag().Replace(Cref().Replace(OneLine(summary.Groups["text"].Value), "`$1`"), "`"))
            : "";
    }

    private static string OneLine(string comment) => LineEnd().Replace(comment, " ").Trim();

    [GeneratedRegex(@"\s*\n\s*/// ")]
    private static partial Regex LineEnd();

    [GeneratedRegex("""<see cref="(?:\w+\.)*(\w+)" ?/>""")]
    private static partial Regex Cref();

    [GeneratedRegex("</?c>")]
    private static partial Regex Tag();
}
