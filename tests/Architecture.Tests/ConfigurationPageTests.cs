using System.Text.RegularExpressions;

namespace Architecture.Tests;

/// <summary>docs/configuration.md has every key that the code reads, and those that other pages promise.</summary>
public sealed partial class ConfigurationPageTests
{
    /// <summary>The keys of the contract with those who operate and those who call; {a,b} on the page stands for both.</summary>
    private static readonly string[] Promised =
    [
        .. Below("Authentication:Schemes:Bearer", "Authority", "ValidAudiences", "RequireHttpsMetadata"),
        .. Below("Authentication", "KeyRefresh", "Introspection:Endpoint", "Introspection:ClientId", "Introspection:ClientSecret", "SharedSecrets"),
        .. Below("Session", "Authority", "ClientId", "ClientSecret", "Scopes", "RequireHttpsMetadata", "IdleTimeout", "AbsoluteTimeout", "RefreshBefore"),
        .. Below("Plans:<name>", "RequestsPerMinute", "Burst", "RequestsPerDay", "MaxPayloadBytes", "Endpoints", "OnStoreFailure", "Overage", "OverageCeiling", "Price", "Support", "Sla"),
        .. Below("Limits", "Mode", "Endpoints:<name>:RequestsPerMinute", "Endpoints:<name>:Burst", "Endpoints:<name>:Cost"),
        .. Below("Tenants:<id>", "Plan", "RateLimit:RequestsPerMinute", "RateLimit:Burst", "AllowedEndpoints", "CustomDomain",
            "DedicatedUpstreams:<upstream>:Address", "Priority", "MaxConcurrency"),
        .. Below("ApiKeys", "Pepper", "MaxStale", "Bootstrap:<tenant>"),
        .. Below("Webhooks", "Schedule", "Timeout", "Jitter", "AllowPrivateNetworks", "DisableAfter"),
        .. Below("Versions:<v>", "Deprecation", "Sunset", "Link", "Successor"),
        .. Below("Events", "Retention", "MaxLength"),
        .. Below("Upstreams:<name>", "Address", "Timeout", "Retries", "HedgeAfter", "Breaker:FailureRatio", "Breaker:MinimumThroughput", "Breaker:SamplingDuration",
            "Breaker:BreakDuration", "MaxConcurrency", "MaxQueue", "MaxResponseBytes", "Canary:Address", "Canary:Percent", "Canary:Header", "Fallback",
            "ClientCertificate:Path", "ServerCa:Path", "Http2", "ForwardAuthorization"),
        .. Below("Composition:<endpoint>:<part>", "Timeout", "Fresh", "Stale", "Enabled"),
        "Composition:Deadline", "Sandbox:Upstreams:<name>", "Headers:Forward", "Admission:MaxConcurrency", "Admission:MaxQueue", "State:Timeout", "State:AllowEmbedded",
        "Shutdown:Delay", "Cors:Origins", "ForwardedHeaders:KnownProxies", "ForwardedHeaders:KnownNetworks", "Identity:SignedAssertion", "ReverseProxy:Routes:<name>",
        "ConnectionStrings:redis", "PublicUrl", "AllowedHosts", "AccessLog:Enabled",
    ];

    [Fact]
    public void Every_promised_key_is_on_the_page() => Assert.Empty(Promised.Except(OnThePage()));

    /// <summary>By the last name of the key: sections are read relative to where they are.</summary>
    [Fact]
    public void Every_key_that_the_code_reads_is_on_the_page()
    {
        var known = OnThePage().SelectMany(k => k.Split(':')).ToHashSet(StringComparer.Ordinal);
        var read = Source.Files("src").SelectMany(f => Read().Matches(File.ReadAllText(f)).Select(m => m.Groups[1].Value)).SelectMany(k => k.Split(':')).Distinct().ToList();

        Assert.True(read.Count > 40);
        Assert.Empty(read.Except(known));
    }

    /// <summary>The options that the framework binds.</summary>
    [Theory]
    [InlineData("Bff.State.StateOptions, Bff.Shared", "State")]
    [InlineData("Bff.Admission.AdmissionOptions, Bff.Shared", "Admission")]
    [InlineData("Bff.Life.ShutdownOptions, Bff.Shared", "Shutdown")]
    [InlineData("Bff.Events.EventsOptions, Bff.Shared", "Events")]
    [InlineData("PartnerBff.Webhooks.WebhookOptions, PartnerBff", "Webhooks")]
    [InlineData("MobileBff.Features.Pictures.PictureOptions, MobileBff", "Images")]
    public void Every_bound_option_is_on_the_page(string type, string section) => Assert.Empty(
        Type.GetType(type, throwOnError: true)!.GetProperties().Where(p => p.CanWrite).Select(p => $"{section}:{p.Name}").Except(OnThePage()));

    private static IEnumerable<string> Below(string section, params string[] keys) => keys.Select(k => $"{section}:{k}");

    private static HashSet<string> OnThePage() => Quoted().Matches(File.ReadAllText(Path.Combine(Source.Root, "docs/configuration.md")))
        .SelectMany(m => Expand(m.Groups[1].Value)).Select(k => k.Replace(":<n>", "", StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);

    private static IEnumerable<string> Expand(string key)
    {
        var choice = Choice().Match(key);
        return choice.Success ? choice.Groups[1].Value.Split(',').Select(c => key.Replace(choice.Value, c, StringComparison.Ordinal)).Append(key[..choice.Index].TrimEnd(':')) : [key];
    }

    [GeneratedRegex("`([A-Za-z][^`]*)`")]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\{([A-Za-z,]+)\}")]
    private static partial Regex Choice();

    [GeneratedRegex(@"(?:mistakes\.Read\([\w.]+, |(?:section|bearer|authentication|part|upstream)\[|Required\(section, )""([A-Za-z0-9:]+)""")]
    private static partial Regex Read();
}
