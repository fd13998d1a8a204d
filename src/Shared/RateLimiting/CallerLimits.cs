using System.Collections.Concurrent;
using System.Net;
using System.Runtime.CompilerServices;
using Bff.Configuration;
using Bff.Requests;
using Bff.Tenancy;

namespace Bff.RateLimiting;

/// <summary>The limits of one caller under one configuration: plan, tenant, and the buckets that its requests pass.</summary>
internal sealed class CallerLimits
{
    private readonly BucketRegistry _registry;
    private readonly string _tag;
    private readonly string _key;
    private readonly LimitSet _plain;
    private ConcurrentDictionary<string, LimitSet>? _endpoints;

    private CallerLimits(LimitSettings settings, BucketRegistry registry, Plan plan, Tenant? tenant, string tag, string key)
    {
        (Settings, _registry, Plan, Tenant, _tag, _key) = (settings, registry, plan, tenant, tag, key);
        var own = registry.Bucket(tag, key, plan.Bucket);
        _plain = tenant?.Bucket is { } shared
            ? new(plan, tenant.Id, own, registry.Bucket(tag, "tenant", shared))
            : new(plan, tenant?.Id, own);
    }

    /// <summary>The configuration that these limits were made from. When it changes, the limits are made again.</summary>
    public LimitSettings Settings { get; }

    public Plan Plan { get; }

    /// <summary>The tenant. Null: the caller has none, or it is not known here. When it changes, the limits are made again.</summary>
    public Tenant? Tenant { get; }

    /// <summary>Whether the caller is refused: a partner without a known tenant.</summary>
    public bool IsForbidden { get; private init; }

    public static CallerLimits Of(Caller caller, Tenant? tenant, LimitSettings settings, BucketRegistry registry)
    {
        var key = BucketKeys.Of(caller);
        var tag = caller.Tenant is { Length: > 0 } name ? "t:" + BucketKeys.Safe(name) : key;
        return new(settings, registry, CallerPlan.Of(caller, tenant, settings), tenant, tag, key)
        {
            IsForbidden = settings.Family == PlanFamily.Partner && tenant is null,
        };
    }

    public static CallerLimits Of(UInt128 address, LimitSettings settings, BucketRegistry registry)
    {
        var key = BucketKeys.Of(address);
        return new(settings, registry, settings.Plans[ShippedPlans.Anonymous], null, key, key);
    }

    /// <summary>Returns the buckets of a request to the endpoint.</summary>
    public LimitSet For(string? endpoint, EndpointLimit limit)
    {
        if (limit.Bucket is null || endpoint is null)
        {
            return _plain;
        }

        var sets = LazyInitializer.EnsureInitialized(ref _endpoints, static () => new(StringComparer.OrdinalIgnoreCase));
        return sets.TryGetValue(endpoint, out var set)
            ? set
            : sets[endpoint] = new(
                Plan,
                Tenant?.Id,
                [.. _plain.Levels, _registry.Bucket(_tag, $"{_key}:{BucketKeys.Safe(endpoint)}", limit.Bucket)]
            );
    }
}

/// <summary>Determines a caller's plan.</summary>
internal static class CallerPlan
{
    /// <summary>
    /// Returns the plan. For partners it is the tenant's; for users it is the role's or the tenant's, whichever admits more.
    /// </summary>
    public static Plan Of(Caller caller, Tenant? tenant, LimitSettings settings)
    {
        if (!caller.IsAuthenticated)
        {
            return settings.Plans[ShippedPlans.Anonymous];
        }

        var plan = tenant?.Plan ?? settings.Plans[ShippedPlans.Free];
        if (settings.Family == PlanFamily.Users)
        {
            foreach (var role in caller.Roles)
            {
                if (settings.Plans.TryGetValue(role, out var named) && named.RequestsPerMinute > plan.RequestsPerMinute)
                {
                    plan = named;
                }
            }
        }

        return plan;
    }
}

/// <summary>
/// Caches the limits of a caller for as long as the caller is remembered and neither its tenant nor the configuration changes.
/// </summary>
internal sealed class CallerLimitsCache(Reloadable<LimitSettings> settings, BucketRegistry registry, TimeProvider time)
{
    private const int MaxAddresses = 20_000;
    private static readonly TimeSpan TrimInterval = TimeSpan.FromSeconds(10);

    private readonly ConditionalWeakTable<Caller, CallerLimits> _callers = [];
    private readonly ConcurrentDictionary<UInt128, CallerLimits> _addresses = new();
    private DateTimeOffset _trimAt;

    public CallerLimits Of(Caller caller, Tenant? tenant, IPAddress? address) =>
        caller.IsAuthenticated ? Of(caller, tenant) : Of(BucketKeys.Of(address));

    public CallerLimits Of(Caller caller, Tenant? tenant)
    {
        var current = settings.Current;
        if (
            _callers.TryGetValue(caller, out var known)
            && ReferenceEquals(known.Settings, current)
            && ReferenceEquals(known.Tenant, tenant)
        )
        {
            return known;
        }

        var fresh = CallerLimits.Of(caller, tenant, current, registry);
        _callers.AddOrUpdate(caller, fresh);
        return fresh;
    }

    /// <summary>Drops unused entries from time to time.</summary>
    public void Trim()
    {
        var now = time.GetUtcNow();
        if (now < _trimAt)
        {
            return;
        }

        _trimAt = now + TrimInterval;
        registry.Trim();
    }

    private CallerLimits Of(UInt128 address)
    {
        var current = settings.Current;
        if (_addresses.TryGetValue(address, out var known) && ReferenceEquals(known.Settings, current))
        {
            return known;
        }

        if (_addresses.Count >= MaxAddresses)
        {
            _addresses.Clear(); // Cheap to compute again; the buckets themselves are in the store.
        }

        return _addresses[address] = CallerLimits.Of(address, current, registry);
    }
}
