using System.Diagnostics.Metrics;

namespace Bff.Upstreams.Tokens;

/// <summary>Counts requests to token endpoints.</summary>
internal sealed class TokenMetrics
{
    private readonly Counter<long> _requests;

    public TokenMetrics(IMeterFactory meters) =>
        _requests = meters
            .Create("Bff.Tokens")
            .CreateCounter<long>(
                "bff.tokens.requests",
                "{request}",
                "Tokens for services that were asked for: granted, refused, timeout, failed, or unavailable while the breaker is open."
            );

    public void Count(string client, string outcome) =>
        _requests.Add(1, new KeyValuePair<string, object?>("client", client), new KeyValuePair<string, object?>("outcome", outcome));
}
