using System.Collections.Concurrent;
using System.Net;
using System.Runtime.CompilerServices;
using Bff.Configuration;
using Bff.Requests;
using Bff.Tenancy;

namespace Bff.RateLimiting;

/// <summary>
/// Remembers what has been worked out for a caller, for as long as the caller is remembered and tenant and configuration stay.
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

    /// <summary>Drops what is not used, now and then.</summary>
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
            _addresses.Clear(); // Cheap to work out again; the buckets themselves are in the store.
        }

        return _addresses[address] = CallerLimits.Of(address, current, registry);
    }
}
