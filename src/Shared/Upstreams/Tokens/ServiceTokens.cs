using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using Bff.Configuration;
using Microsoft.Extensions.Logging;

namespace Bff.Upstreams.Tokens;

/// <summary>The tokens that the gateway requests, for each service from the registration in its settings.</summary>
internal sealed class ServiceTokens
{
    private readonly ConditionalWeakTable<TokenOptions, TokenTarget> _targets = [];
    private readonly IHttpClientFactory _clients;
    private readonly TimeProvider _time;
    private readonly TokenMetrics _metrics;
    private readonly ILogger<ServiceTokens> _logger;
    private FrozenDictionary<string, TokenEndpoint> _endpoints = FrozenDictionary<string, TokenEndpoint>.Empty;

    public ServiceTokens(
        Reloadable<ClientRegistrations> registrations,
        IHttpClientFactory clients,
        TokenMetrics metrics,
        TimeProvider time,
        ILogger<ServiceTokens> logger
    )
    {
        (_clients, _time, _metrics, _logger) = (clients, time, metrics, logger);
        Renew(registrations.Current);
        registrations.OnChange(Renew);
    }

    /// <summary>Returns the service's tokens. A change of its settings or of the registration starts with none.</summary>
    /// <returns>Null if there is no such registration.</returns>
    public TokenTarget? Of(TokenOptions options)
    {
        if (!Volatile.Read(ref _endpoints).TryGetValue(options.Client, out var endpoint))
        {
            return null;
        }

        if (_targets.TryGetValue(options, out var known) && known.Endpoint == endpoint)
        {
            return known;
        }

        lock (_targets)
        {
            if (_targets.TryGetValue(options, out known) && known.Endpoint == endpoint)
            {
                return known;
            }

            var made = new TokenTarget(options, endpoint, _time);
            _targets.AddOrUpdate(options, made);
            return made;
        }
    }

    /// <summary>Applies registrations. An unchanged one keeps its endpoint, and with it the breaker and the tokens.</summary>
    private void Renew(ClientRegistrations registrations)
    {
        var before = _endpoints;
        Volatile.Write(
            ref _endpoints,
            registrations.All.ToFrozenDictionary(
                r => r.Key,
                r =>
                    before.GetValueOrDefault(r.Key) is { } kept && kept.Registration == r.Value
                        ? kept
                        : new TokenEndpoint(r.Value, _clients, _time, _metrics, _logger),
                StringComparer.OrdinalIgnoreCase
            )
        );
    }
}
