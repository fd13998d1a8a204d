using System.Text.RegularExpressions;
using Bff.Configuration;

namespace Architecture.Tests;

/// <summary>docs/configuration.md says what the code declares. <c>BFF_UPDATE_GOLDEN=1</c> rewrites it.</summary>
[Collection(RealHostsCollection.Name)]
public sealed partial class ConfigurationPageTests(RealHosts hosts)
{
    private const string NoWrongValue = "any text";

    private static readonly string File = Path.Combine(Source.Root, "docs/configuration.md");

    /// <summary>Keys that clients, operators and tokens depend on, so their names never change.</summary>
    private static readonly string[] Promised =
    [
        .. Below("Authentication:Schemes:Bearer", "Authority", "ValidAudiences:<n>", "RequireHttpsMetadata"),
        .. Below(
            "Authentication",
            "KeyRefresh",
            "Introspection:Endpoint",
            "Introspection:ClientId",
            "Introspection:ClientSecret",
            "SharedSecrets:<n>"
        ),
        .. Below(
            "Authentication:Providers:<name>",
            "Type",
            "Authority",
            "MetadataAddress",
            "ValidAudiences:<n>",
            "ValidIssuers:<n>",
            "RequireHttpsMetadata",
            "BackchannelTimeout",
            "SigningKeys:<n>:Value",
            "AllowedTenants:<n>",
            "AllowedClients:<n>",
            "Claims:Subject:<n>",
            "Claims:Email:<n>",
            "Claims:Name:<n>",
            "Claims:Roles:<n>",
            "Claims:Scopes:<n>",
            "Claims:Tenant:<n>",
            "Claims:Client:<n>",
            "ScopePrefix",
            "ScopeAliases:<scope>",
            "RolesAsScopes",
            "MaxTokenBytes"
        ),
        .. Below("Upstreams:<name>:Token", "Mode", "Client", "Scope", "Resource", "Audience", "Otherwise"),
        .. Below(
            "Clients:<name>",
            "Authority",
            "TokenEndpoint",
            "ClientId",
            "ClientSecret",
            "Certificate:Path",
            "Certificate:KeyPath",
            "Certificate:Password",
            "PrivateKey:Path",
            "Type"
        ),
        .. Below(
            "Session",
            "Authority",
            "ClientId",
            "ClientSecret",
            "Scopes",
            "RequireHttpsMetadata",
            "IdleTimeout",
            "AbsoluteTimeout",
            "RefreshBefore",
            "AnonymousUser",
            "Provider",
            "AuthorizeParameters:<name>",
            "LoginParameters:<n>",
            "ClientAuthentication",
            "PrivateKey:Path",
            "PushedAuthorization",
            "UserInfo",
            "IdTokenHint",
            "ReturnOrigins:<n>",
            "Home"
        ),
        .. Below(
            "Plans:<name>",
            "RequestsPerMinute",
            "Burst",
            "RequestsPerDay",
            "MaxPayloadBytes",
            "Endpoints",
            "OnStoreFailure",
            "Overage",
            "OverageCeiling",
            "Price",
            "Support",
            "Sla"
        ),
        .. Below("Limits", "Mode", "Endpoints:<name>:RequestsPerMinute", "Endpoints:<name>:Burst", "Endpoints:<name>:Cost"),
        .. Below(
            "Tenants:<id>",
            "Plan",
            "RateLimit:RequestsPerMinute",
            "RateLimit:Burst",
            "AllowedEndpoints:<n>",
            "CustomDomain",
            "DedicatedUpstreams:<upstream>:Address",
            "Priority",
            "MaxConcurrency"
        ),
        .. Below("ApiKeys", "Pepper", "MaxStale", "Bootstrap:<tenant>"),
        .. Below("Webhooks", "Schedule:<n>", "Timeout", "Jitter", "AllowPrivateNetworks", "DisableAfter", "Ports:<n>"),
        .. Below("Versions:<v>", "Deprecation", "Sunset", "Link", "Successor"),
        .. Below("Events", "Retention", "MaxLength"),
        .. Below(
            "Upstreams:<name>",
            "Address",
            "Addresses:<n>",
            "Timeout",
            "Retries",
            "HedgeAfter",
            "Breaker:FailureRatio",
            "Breaker:MinimumThroughput",
            "Breaker:SamplingDuration",
            "Breaker:BreakDuration",
            "MaxConcurrency",
            "MaxQueue",
            "MaxResponseBytes",
            "Canary:Address",
            "Canary:Percent",
            "Canary:Header",
            "Shadow:Address",
            "Shadow:Percent",
            "Shadow:Compare",
            "Fallback",
            "ClientCertificate:Path",
            "ServerCa:Path",
            "Http2",
            "ForwardAuthorization"
        ),
        .. Below("Composition:<endpoint>:<part>", "Timeout", "Fresh", "Revalidate", "Stale", "Enabled"),
        "Composition:Deadline",
        "Composition:<endpoint>:FirstAfter",
        "Headers:Forward:<n>",
        "Admission:MaxConcurrency",
        "Admission:MaxQueue",
        "State:Timeout",
        "State:AllowEmbedded",
        "Shutdown:Delay",
        "Cors:Origins:<n>",
        "ForwardedHeaders:KnownProxies:<n>",
        "ForwardedHeaders:KnownNetworks:<n>",
        "Identity:SignedAssertion",
        "ReverseProxy:Routes:<name>:ClusterId",
        "ConnectionStrings:redis",
        "PublicUrl",
        "AllowedHosts",
        "AccessLog:Enabled",
    ];

    private static IEnumerable<string> Keys => ConfigurationPage.Settings.Select(Key);

    [Fact]
    public void The_page_is_what_the_code_declares()
    {
        var page = new ConfigurationPage(hosts.Services).Write();
        if (Environment.GetEnvironmentVariable("BFF_UPDATE_GOLDEN") == "1")
        {
            System.IO.File.WriteAllText(File, page);
        }

        Assert.Equal(page, System.IO.File.ReadAllText(File));
    }

    [Fact]
    public void Every_promised_key_is_declared() => Assert.Empty(Promised.Except(Keys));

    /// <summary>Accepts the spelling of files or of the environment, a section, or the end of a key whose section the text names.</summary>
    [Theory]
    [MemberData(nameof(DocumentationTests.Pages), MemberType = typeof(DocumentationTests))]
    public void Every_key_that_a_page_names_is_declared(string page)
    {
        var named =
            from Match key in NamedKey().Matches(System.IO.File.ReadAllText(Path.Combine(Source.Root, page)))
            from last in key.Groups["last"].Value.Split(',')
            select key.Groups["key"].Value.Replace("__", ":", StringComparison.Ordinal) + last;
        var keys = Keys.Select(k => k.Split(':')).ToList();

        Assert.Empty(named.Where(n => !FrameworkKey().IsMatch(n) && !keys.Any(k => IsPartOf(k, n.Split(':')))).ToList());

        static bool IsPartOf(string[] key, string[] named) =>
            Enumerable
                .Range(0, Math.Max(0, key.Length - named.Length + 1))
                .Any(at => key[at] == named[0] && named.Zip(key[at..]).All(p => p.First == p.Second || p.Second[0] == '<'));
    }

    [Fact]
    public void Every_declared_key_has_a_meaning_a_range_and_a_default_and_is_on_the_page()
    {
        Assert.Equal(ConfigurationPage.Types.SelectMany(t => t).SelectMany(Setting.Of).Select(Key).Order(), Keys.Order());
        Assert.All(
            ConfigurationPage.Settings,
            setting =>
            {
                Assert.True(ConfigurationPage.Meaning(setting).Length > 3, $"{setting.Path} has no meaning");
                Assert.True(setting.Range.Length > 3, $"{setting.Path} has no range");
                Assert.True(
                    ConfigurationPage.Default(setting).Trim('`').Length > 0 || setting.Member.PropertyType == typeof(string),
                    $"{setting.Path} has no default"
                );
            }
        );
    }

    [Theory]
    [InlineData("Taken while running", "yes", "Sandbox")]
    [InlineData("Taken at the next start", "no", "OTEL_*")]
    public void The_operations_page_says_when_an_edit_of_each_section_is_taken(string heading, string live, string others)
    {
        var page = System.IO.File.ReadAllText(Path.Combine(Source.Root, "docs/operations.md"));
        var said = Section().Matches(page.Split($"- **{heading}:**")[1].Split("\n- ")[0]).Select(m => m.Groups[1].Value);
        var declared = System
            .IO.File.ReadLines(File)
            .Select(l => Row().Match(l))
            .Where(m => m.Success && m.Groups["live"].Value == live)
            .Select(m => m.Groups["section"].Value);

        Assert.Equal(declared.Append(others).Distinct().Order(StringComparer.Ordinal), said.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_declared_key_is_read_by_a_host()
    {
        var page = new ConfigurationPage(hosts.Services);

        Assert.Empty(ConfigurationPage.Settings.Where(s => page.Readers(s).Hosts.Length == 0).Select(Key).ToList());
    }

    /// <summary>Options that configuration binds declare every member that it could set.</summary>
    [Fact]
    public void No_option_can_be_set_without_being_declared()
    {
        var options = ConfigurationPage
            .Types.SelectMany(t => t)
            .Where(t => t.Name.EndsWith("Options", StringComparison.Ordinal) && t.GetConstructor([]) is not null);

        Assert.Empty(
            options
                .SelectMany(t => t.GetProperties().Where(p => p.CanWrite && Setting.Of(t).All(s => s.Member.Name != p.Name)))
                .Select(p => $"{p.ReflectedType!.Name}.{p.Name}")
                .Except([
                    "AccessLogOptions.Output",
                    "UpstreamOptions.Name",
                    "UpstreamOptions.Breaker",
                    "UpstreamOptions.Canary",
                    "UpstreamOptions.Shadow",
                    "UpstreamOptions.Token",
                    "UpstreamOptions.ClientCertificate",
                    "UpstreamOptions.ServerCa",
                    "CanaryOptions.HeaderValue",
                ])
                .ToList()
        );
    }

    /// <summary>Compares the last names of keys, because code reads sections relative to their place.</summary>
    [Fact]
    public void Every_key_that_the_code_reads_by_hand_is_declared()
    {
        var known = Keys.SelectMany(k => k.Split(':'))
            .Concat(["Id", "Issuer", "Value", "Audience", "Sandbox", "Clusters", "Metadata", "ValidAudience", "ValidIssuer"])
            .Concat(["Urls", "Kestrel", "Certificate", "Certificates", "Default", "Sni", "Logging"])
            .ToHashSet(StringComparer.Ordinal); // These keys are the framework's own.
        var read = Source
            .Files("src")
            .SelectMany(f => Read().Matches(System.IO.File.ReadAllText(f)).Select(m => m.Groups[1].Value))
            .SelectMany(k => k.Split(':'))
            .Distinct()
            .ToList();

        Assert.True(read.Count > 20);
        Assert.Empty(read.Except(known));
    }

    [Fact]
    public void Every_declared_key_has_a_wrong_value_that_stops_a_host()
    {
        string[] wrong = [.. WrongValues.OfMobile.Keys, .. WrongValues.OfWeb.Keys, .. WrongValues.OfPartner.Keys];

        Assert.Empty(
            ConfigurationPage
                .Settings.Where(s => s.Range != NoWrongValue)
                .Select(Key)
                .Where(k => !wrong.Any(w => Regex.IsMatch(w, $"^{Name().Replace(k, "[^:]+")}(:|$)")))
                .ToList()
        );
    }

    private static string Key(Setting setting) => setting.IsList ? setting.Path + ":<n>" : setting.Path;

    private static IEnumerable<string> Below(string section, params string[] keys) => keys.Select(k => $"{section}:{k}");

    [GeneratedRegex(
        @"(?:\bGetSection\(|\bGetValue(?:<\w+>)?\(|\b(?:section|bearer|authentication|part|upstream|entry|tenant|[cC]onfiguration)\[|(?:Required|Values|Date|Address)\((?:section|bearer|configuration), )""([A-Za-z0-9:]+)"""
    )]
    private static partial Regex Read();

    [GeneratedRegex(
        "`(?<key>[A-Z][A-Za-z]+(?:__|:)(?:(?:[A-Za-z]+|<[a-z]+>)(?:__|:))*)(?:(?<last>[A-Za-z]+|<[a-z]+>)|\\{(?<last>[A-Za-z,]+)\\})(?:=[^`]*)?`"
    )]
    private static partial Regex NamedKey();

    /// <summary>The sandbox's keys are those of the upstreams; YARP's clusters are named where a page says that there are none.</summary>
    [GeneratedRegex("^(?:Kestrel|Logging|Services|Sandbox:Upstreams|ReverseProxy:Clusters)(?::|$)")]
    private static partial Regex FrameworkKey();

    [GeneratedRegex("<[a-z]+>")]
    private static partial Regex Name();

    [GeneratedRegex("`([A-Za-z_*]+)`")]
    private static partial Regex Section();

    [GeneratedRegex(@"^\| `(?<section>[A-Za-z]+)[:`].* \| (?<live>yes|no) \| [a-z, ]+ \|$")]
    private static partial Regex Row();
}
