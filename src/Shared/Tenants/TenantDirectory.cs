using Bff.Concurrency;
using Bff.Configuration;
using Bff.RateLimiting;
using Bff.State;
using Bff.Tenancy;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Bff.Tenants;

/// <summary>
/// Finds a caller's tenant.
/// 1. A cached tenant is returned at once, without allocation.
/// 2. Otherwise the store is asked; it takes precedence.
/// 3. Then the configuration is used.
/// A cached tenant becomes invalid as soon as any instance changes it, and is read again if changes may have been missed. While the store
/// is away, the last known state applies, then the configuration.
/// </summary>
internal sealed partial class TenantDirectory : ITenants, IDisposable
{
    private const int MaxTenants = 250_000;
    private const int MaxHosts = 10_000;
    private static readonly Host Unknown = new(null, 0);

    private readonly ITenantStore _store;
    private readonly Reloadable<LimitSettings> _settings;
    private readonly ILogger _logger;
    private readonly Remembered<string, Known> _known = new(MaxTenants);
    private readonly Remembered<string, Host> _hosts = new(MaxHosts);
    private int _changes;
    private int _epoch;
    private int _withoutDomains = -1;

    public TenantDirectory(ITenantStore store, Reloadable<LimitSettings> settings, ILogger<TenantDirectory> logger)
    {
        (_store, _settings, _logger) = (store, settings, logger);
        _store.Changed += OnChanged;
        _settings.OnChange(_ => Changed?.Invoke(null));
    }

    /// <inheritdoc />
    public event Action<string?>? Changed;

    /// <summary>Number of cached tenants.</summary>
    internal int Held => _known.Count;

    public ValueTask<Tenant?> Find(string? id, CancellationToken cancellation = default)
    {
        if (string.IsNullOrEmpty(id))
        {
            return default;
        }

        return _known.Find(id) is { } known && known.Epoch == Volatile.Read(ref _epoch) ? new(Resolve(known)) : LookUp(id, cancellation);
    }

    /// <inheritdoc />
    public ValueTask<string?> OwnerOf(HttpContext context)
    {
        if (_settings.Current.TenantsByDomain.Count == 0 && Volatile.Read(ref _withoutDomains) == Volatile.Read(ref _changes))
        {
            return default;
        }

        var name = context.Request.Host.Host;
        return
            _hosts.Find(name) is { } known
            && known.Changes == Volatile.Read(ref _changes)
            && ReferenceEquals(known.Settings, _settings.Current)
            ? new(known.Owner)
            : LookUpHost(name, context.RequestAborted);
    }

    /// <inheritdoc />
    public Tenant? Recall(string id) => _known.Find(id) is { } known ? ResolutionOf(known).Tenant : null;

    public void Dispose() => _store.Changed -= OnChanged;

    private async ValueTask<Tenant?> LookUp(string id, CancellationToken cancellation)
    {
        var changes = Volatile.Read(ref _changes);
        var epoch = Volatile.Read(ref _epoch);
        if (_store.IsKnownAway && TryLastKnown(id, out var last))
        {
            return last;
        }

        Known known;
        try
        {
            known = new(id, await _store.Find(id, cancellation), epoch);
        }
        catch (StoreException) when (TryLastKnown(id, out last))
        {
            return last;
        }

        _known.Set(id, known);
        // The document that was read may just have been changed. This check comes after Set, so that a later change finds the entry.
        if (changes != Volatile.Read(ref _changes))
        {
            _known.Drop(id, known);
        }

        return Resolve(known);
    }

    /// <summary>
    /// Finds what applies while the store is away. A partner of whom nothing is known must try again later. A user of an unknown tenant is
    /// served without one.
    /// </summary>
    private bool TryLastKnown(string id, out Tenant? last)
    {
        var known = _known.Find(id);
        last = known is null ? _settings.Current.Tenants.GetValueOrDefault(id) : Resolve(known);
        return known is not null || last is not null || _settings.Current.Family == PlanFamily.Users;
    }

    private async ValueTask<string?> LookUpHost(string name, CancellationToken cancellation)
    {
        var changes = Volatile.Read(ref _changes);
        var settings = _settings.Current;
        var configured = settings.TenantsByDomain.GetValueOrDefault(name);
        if (_store.IsKnownAway)
        {
            return (_hosts.Find(name) ?? Unknown).Owner ?? configured?.Id;
        }

        try
        {
            var (owner, any) = await _store.FindByDomain(name.ToLowerInvariant(), cancellation);
            if (!any)
            {
                Volatile.Write(ref _withoutDomains, changes);
            }

            // A tenant in the store replaces all of its configuration, including its domain.
            if (
                owner is null
                && configured is not null
                && string.Equals(
                    (await Find(configured.Id, cancellation))?.CustomDomain,
                    configured.CustomDomain,
                    StringComparison.OrdinalIgnoreCase
                )
            )
            {
                owner = configured.Id;
            }

            _hosts.Set(name, new(owner, changes) { Settings = settings });
            return owner;
        }
        catch (StoreException)
        {
            return (_hosts.Find(name) ?? Unknown).Owner ?? configured?.Id;
        }
    }

    private Tenant? Resolve(Known known)
    {
        var resolution = ResolutionOf(known);
        return resolution.IsReadable ? resolution.Tenant : throw new UnreadableTenantException();
    }

    private Resolution ResolutionOf(Known known)
    {
        var settings = _settings.Current;
        var resolved = known.Resolved;
        if (resolved is null || !ReferenceEquals(resolved.Settings, settings))
        {
            known.Resolved = resolved = known.Json is null
                ? new(settings, settings.Tenants.GetValueOrDefault(known.Id), IsReadable: true)
                : Parse(known.Id, known.Json, settings);
        }

        return resolved;
    }

    /// <summary>
    /// Reads a stored tenant. A plan or an upstream may have been removed from the configuration after the tenant was checked. Members that
    /// cannot be used are left out and logged once. A text that is no such document says nothing about what the tenant may do, so none of
    /// its requests is admitted.
    /// </summary>
    private Resolution Parse(string id, byte[] json, LimitSettings settings)
    {
        if (TenantDocument.ReadOrNull(json) is not { } document)
        {
            LogUnreadable(_logger, id);
            return new(settings, null, IsReadable: false);
        }

        var (tenant, errors) = document.Parse(id, settings);
        foreach (var (member, messages) in errors)
        {
            LogMisfit(_logger, id, member, messages[0]);
        }

        return new(settings, tenant, IsReadable: true);
    }

    private void OnChanged(string? id)
    {
        Interlocked.Increment(ref _changes);
        if (id is null)
        {
            Interlocked.Increment(ref _epoch);
        }
        else
        {
            _known.Find(id)?.Void(); // It stays the last known state until it is read again.
        }

        Changed?.Invoke(id);
    }

    [LoggerMessage(
        2201,
        LogLevel.Warning,
        "Tenant {Tenant} of the store does not fit the configuration: {Member} {Mistake} It is served "
            + "without that member; plan free replaces a missing plan.",
        EventName = "TenantDoesNotFit"
    )]
    private static partial void LogMisfit(ILogger logger, string tenant, string member, string mistake);

    [LoggerMessage(
        2202,
        LogLevel.Error,
        "The document of tenant {Tenant} in the store cannot be read. Its requests are answered with 503 until the document is replaced.",
        EventName = "TenantUnreadable"
    )]
    private static partial void LogUnreadable(ILogger logger, string tenant);

    private sealed record Resolution(LimitSettings Settings, Tenant? Tenant, bool IsReadable);

    private sealed class UnreadableTenantException() : StoreException("A tenant's document in the store cannot be read.", null);

    private sealed class Known(string id, byte[]? json, int epoch)
    {
        private Resolution? _resolved;
        private int _epoch = epoch;

        public string Id => id;

        /// <summary>The document in the store. Null: there is none.</summary>
        public byte[]? Json => json;

        /// <summary>The epoch, a period without missed changes, in which the tenant was read.</summary>
        public int Epoch => Volatile.Read(ref _epoch);

        public void Void() => Volatile.Write(ref _epoch, -1);

        public Resolution? Resolved
        {
            get => Volatile.Read(ref _resolved);
            set => Volatile.Write(ref _resolved, value);
        }
    }

    private sealed record Host(string? Owner, int Changes)
    {
        public LimitSettings? Settings { get; init; }
    }
}
