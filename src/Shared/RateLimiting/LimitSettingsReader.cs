using System.Collections.Frozen;
using System.Net;
using System.Text;
using Bff.Configuration;
using Bff.Edge;
using Bff.Tenancy;
using Microsoft.Extensions.Configuration;

namespace Bff.RateLimiting;

/// <summary>Reads <c>Plans</c>, <c>Limits</c> and <c>Tenants</c>. A pure function that reports every mistake with its key.</summary>
internal sealed class LimitSettingsReader(ConfigurationMistakes mistakes)
{
    public static LimitSettings Read(IConfiguration configuration, PlanFamily family, ConfigurationMistakes mistakes)
    {
        var reader = new LimitSettingsReader(mistakes);
        var plans = reader.Plans(configuration.GetSection("Plans"), family);
        var upstreams = configuration
            .GetSection("Upstreams")
            .GetChildren()
            .Select(u => u.Key)
            .ToFrozenSet(StringComparer.OrdinalIgnoreCase);
        var tenants = configuration
            .GetSection("Tenants")
            .GetChildren()
            .Select(section => reader.Tenant(section, section.Key, plans, upstreams))
            .ToList();
        reader.CheckDomains(tenants);
        var limits = configuration.GetSection("Limits");
        return mistakes.Bind(
            limits,
            new LimitSettings
            {
                Family = family,
                Plans = plans.ToFrozenDictionary(StringComparer.Ordinal),
                Endpoints = reader.Endpoints(limits.GetSection("Endpoints")),
                Upstreams = upstreams,
                Tenants = tenants.ToFrozenDictionary(t => t.Id, StringComparer.Ordinal),
                TenantsByDomain = tenants
                    .Where(t => t.CustomDomain is not null)
                    .DistinctBy(t => t.CustomDomain, StringComparer.OrdinalIgnoreCase)
                    .ToFrozenDictionary(t => t.CustomDomain!, StringComparer.OrdinalIgnoreCase),
            }
        );
    }

    /// <summary>Reads one tenant, from the configuration or from the store.</summary>
    /// <param name="section">The tenant's settings.</param>
    /// <param name="id">The tenant's id.</param>
    /// <param name="plans">The plans that exist.</param>
    /// <param name="upstreams">Names of the upstreams for which the tenant may have a dedicated one.</param>
    /// <param name="mistakes">Collects the mistakes.</param>
    public static Tenant ReadTenant(
        IConfigurationSection section,
        string id,
        IReadOnlyDictionary<string, Plan> plans,
        IReadOnlySet<string> upstreams,
        ConfigurationMistakes mistakes
    ) => new LimitSettingsReader(mistakes).Tenant(section, id, plans, upstreams);

    private Dictionary<string, Plan> Plans(IConfigurationSection section, PlanFamily family)
    {
        // Configuration keys are case-insensitive: Plans:Free overrides the plan free.
        var plans = ShippedPlans.Of(family).ToDictionary(p => p.Name, StringComparer.OrdinalIgnoreCase);
        foreach (var name in section.GetChildren().Select(c => c.Key).Union(plans.Keys.ToList(), StringComparer.OrdinalIgnoreCase))
        {
            plans[name] = Plan(section.GetSection(name), plans.GetValueOrDefault(name));
        }

        return plans;
    }

    private Plan Plan(IConfigurationSection section, Plan? shipped)
    {
        if (shipped is null)
        {
            Require(section, "RequestsPerMinute", "Every plan that is not shipped needs it: the cost units per minute.");
            Require(section, "Burst", "Every plan that is not shipped needs it: the cost units that a full bucket holds.");
        }

        var plan = mistakes.Bind(
            section,
            (
                shipped
                ?? new Plan
                {
                    Name = section.Key,
                    RequestsPerMinute = 1,
                    Burst = 1,
                }
            ) with
            {
                IsReadOnly = IsReadOnly(section, shipped?.IsReadOnly ?? false),
            }
        );
        if (plan is { Overage: true, RequestsPerDay: null })
        {
            mistakes.Add(section, "Overage", "needs a daily quota. Set RequestsPerDay, or remove Overage.");
        }

        if (plan.OverageCeiling < plan.RequestsPerDay)
        {
            mistakes.Add(section, "OverageCeiling", "is lower than RequestsPerDay. Set at least RequestsPerDay.");
        }

        return plan is { Overage: true, OverageCeiling: null } ? plan with { OverageCeiling = plan.RequestsPerDay * 2 } : plan;
    }

    private FrozenDictionary<string, EndpointLimit> Endpoints(IConfigurationSection section)
    {
        var limits = new Dictionary<string, EndpointLimit>(StringComparer.OrdinalIgnoreCase) { ["search"] = new() { Cost = 2 } };
        foreach (var endpoint in section.GetChildren())
        {
            var shipped = limits.GetValueOrDefault(endpoint.Key) ?? EndpointLimit.Default;
            limits[endpoint.Key] = mistakes.Bind(
                endpoint,
                shipped with
                {
                    Bucket = Bucket(endpoint, BucketPolicy.EndpointName) ?? shipped.Bucket,
                }
            );
        }

        return limits.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
    }

    private Tenant Tenant(IConfigurationSection section, string id, IReadOnlyDictionary<string, Plan> plans, IReadOnlySet<string> upstreams)
    {
        Plan? plan = null;
        if (section["Plan"] is { Length: > 0 } name && !plans.TryGetValue(name, out plan))
        {
            mistakes.Add(section, "Plan", $"'{name}' is not the name of a plan. " + ConfigurationMistakes.Choose(plans.Keys, "Plans"));
        }

        return mistakes.Bind(
            section,
            new Tenant
            {
                Id = id,
                Plan = plan,
                Bucket = Bucket(section.GetSection("RateLimit"), BucketPolicy.TenantName),
                AllowedEndpoints = [.. section.GetSection("AllowedEndpoints").GetChildren().Select(Pattern)],
                AllowedAddresses = [.. section.GetSection("AllowedAddresses").GetChildren().Select(Network)],
                CustomDomain = Domain(section),
                DedicatedUpstreams = Upstreams(section.GetSection("DedicatedUpstreams"), upstreams),
            }
        );
    }

    private BucketPolicy? Bucket(IConfigurationSection section, string name)
    {
        var read = mistakes.Bind(section, new BucketSettings());
        if (read.Burst is not null)
        {
            Require(section, "RequestsPerMinute", "Burst has no effect without it.");
        }

        return read.RequestsPerMinute is { } rate ? new(name, read.Burst ?? rate, rate) : null;
    }

    private PathPattern Pattern(IConfigurationSection entry)
    {
        if (entry.Value is { } text && PathPattern.Parse(text) is { } pattern)
        {
            return pattern;
        }

        mistakes.Add(
            entry.Path,
            "is not a path pattern. Write one such as /v1/orders/**, where * is one segment and a final ** is the rest of the path."
        );
        return PathPattern.Nothing; // A tenant of the store is served nevertheless.
    }

    private IPNetwork Network(IConfigurationSection entry)
    {
        if (AddressNetworks.TryParse(entry.Value, out var network))
        {
            return network;
        }

        mistakes.Add(
            entry.Path,
            $"'{entry.Value}' is not a network. Write it as prefix and length, such as 203.0.113.0/24, or as one address."
        );
        return AddressNetworks.Nowhere; // A tenant of the store is served nevertheless.
    }

    private string? Domain(IConfigurationSection section)
    {
        if (section["CustomDomain"] is not { Length: > 0 } domain)
        {
            return null;
        }

        // The Host header of a request contains only ASCII.
        if (Uri.CheckHostName(domain) != UriHostNameType.Dns || !Ascii.IsValid(domain) || domain.EndsWith('.'))
        {
            mistakes.Add(
                section,
                "CustomDomain",
                "is not a host name. Write one such as api.example.com, in ASCII and without scheme, port or path."
            );
        }

        return domain;
    }

    private void CheckDomains(List<Tenant> tenants)
    {
        foreach (
            var shared in tenants.Where(t => t.CustomDomain is not null).GroupBy(t => t.CustomDomain, StringComparer.OrdinalIgnoreCase)
        )
        {
            foreach (var later in shared.Skip(1))
            {
                mistakes.Add(
                    $"Tenants:{later.Id}:CustomDomain",
                    $"is already the domain of tenant '{shared.First().Id}'. Choose another one."
                );
            }
        }
    }

    private Dictionary<string, Uri> Upstreams(IConfigurationSection section, IReadOnlySet<string> known)
    {
        var upstreams = new Dictionary<string, Uri>(StringComparer.OrdinalIgnoreCase);
        foreach (var upstream in section.GetChildren())
        {
            if (!known.Contains(upstream.Key))
            {
                mistakes.Add(upstream.Path, "is not the name of an upstream. " + ConfigurationMistakes.Choose(known, "Upstreams"));
            }
            else if (HttpAddress.OfService(upstream.GetSection("Address"), mistakes) is { } address)
            {
                upstreams[upstream.Key] = address;
            }
        }

        return upstreams;
    }

    private bool IsReadOnly(IConfigurationSection section, bool fallback)
    {
        switch (section["Endpoints"]?.ToUpperInvariant())
        {
            case null or "":
                return fallback;
            case "ALL":
                return false;
            case "READ-ONLY":
                return true;
            default:
                mistakes.Add(section, "Endpoints", $"'{section["Endpoints"]}' is not one of all and read-only.");
                return true;
        }
    }

    private void Require(IConfigurationSection section, string key, string why)
    {
        if (section[key] is not { Length: > 0 })
        {
            mistakes.Add(section, key, "is missing. " + why);
        }
    }
}
