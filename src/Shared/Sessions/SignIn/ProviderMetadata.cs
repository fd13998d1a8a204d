using Bff.Callers.Providers;
using Bff.Configuration;
using Bff.Requests;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Bff.Sessions.SignIn;

/// <summary>
/// Caches the provider's discovery document and keys. They are read when first needed and every ten minutes, and read again for an unknown
/// key, at most every two seconds. While the provider is away, the last good copy stays in use.
/// </summary>
internal sealed partial class ProviderMetadata(
    IHttpClientFactory clients,
    Reloadable<SessionSettings> settings,
    TimeProvider time,
    ILogger<ProviderMetadata> logger
) : IConfigurationManager<OpenIdConnectConfiguration>
{
    private static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan AskedAgainAfter = TimeSpan.FromSeconds(2);
    private readonly Lock _lock = new();
    private Known? _known;
    private Task<Known>? _fetching;
    private DateTimeOffset _askedAt = DateTimeOffset.MinValue;

    private sealed record Known(string Authority, OpenIdConnectConfiguration Configuration, DateTimeOffset ReadAt);

    /// <summary>Returns the known document, and reads it now if there is none or it is stale.</summary>
    /// <exception cref="ProblemException">
    /// 503 <c>upstream_unavailable</c>: no document is known and the provider does not answer.
    /// </exception>
    public ValueTask<OpenIdConnectConfiguration> Get(CancellationToken cancellation)
    {
        var known = Volatile.Read(ref _known);
        return known is not null && known.Authority == settings.Current.Authority && time.GetUtcNow() - known.ReadAt < FreshFor
            ? new(known.Configuration)
            : new(Read(known, cancellation));
    }

    /// <summary>Returns a newer copy than the one that lacked a key, if there may be one; otherwise the same copy.</summary>
    public async ValueTask<OpenIdConnectConfiguration> GetNewer(OpenIdConnectConfiguration than, CancellationToken cancellation)
    {
        var known = Volatile.Read(ref _known);
        return known is not null && known.Configuration != than ? known.Configuration : await Read(known, cancellation);
    }

    Task<OpenIdConnectConfiguration> IConfigurationManager<OpenIdConnectConfiguration>.GetConfigurationAsync(CancellationToken cancel) =>
        Get(cancel).AsTask();

    void IConfigurationManager<OpenIdConnectConfiguration>.RequestRefresh()
    {
        // GetNewer reads again, and limits how often.
    }

    private async Task<OpenIdConnectConfiguration> Read(Known? known, CancellationToken cancellation)
    {
        if (known?.Authority != settings.Current.Authority)
        {
            known = null;
        }

        Task<Known>? fetching;
        lock (_lock)
        {
            if (_fetching is null or { IsCompleted: true })
            {
                if (time.GetUtcNow() - _askedAt < AskedAgainAfter)
                {
                    return known?.Configuration ?? throw Away();
                }

                _askedAt = time.GetUtcNow();
                _fetching = Fetch(settings.Current);
            }

            fetching = _fetching;
        }

        try
        {
            return (await fetching.WaitAsync(cancellation)).Configuration;
        }
        catch (Exception failure) when (failure is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            return known?.Configuration ?? throw Away(failure);
        }
    }

    private async Task<Known> Fetch(SessionSettings current)
    {
        try
        {
            var client = clients.CreateClient(ProviderClient.HttpName);
            var retriever = new ReadableKeys(new HttpDocumentRetriever(client) { RequireHttps = current.RequireHttpsMetadata });
            var configuration = await OpenIdConnectConfigurationRetriever.GetAsync(
                current.Authority + "/.well-known/openid-configuration",
                retriever,
                CancellationToken.None
            );
            Check(configuration, current);
            var known = new Known(current.Authority, configuration, time.GetUtcNow());
            Volatile.Write(ref _known, known);
            return known;
        }
        catch (Exception failure)
        {
            LogAway(logger, failure.GetType().Name);
            throw;
        }
    }

    private static void Check(OpenIdConnectConfiguration configuration, SessionSettings current)
    {
        if (!IsIssuer(configuration.Issuer, current))
        {
            throw new InvalidDataException("The discovery document is another issuer's."); // OpenID Connect Discovery 1.0 section 4.3.
        }

        foreach (var address in (string?[])[configuration.AuthorizationEndpoint, configuration.TokenEndpoint])
        {
            if (
                !Uri.TryCreate(address, UriKind.Absolute, out var uri) || (current.RequireHttpsMetadata && uri.Scheme != Uri.UriSchemeHttps)
            )
            {
                throw new InvalidDataException("The discovery document lacks an endpoint.");
            }
        }
    }

    /// <summary>
    /// Whether the issuer is the authority itself or an issuer in the provider's settings. Only Entra answers with another issuer than the
    /// authority it was asked by (a tenant's id for a domain or for <c>organizations</c>). For Entra the host must be the same, and the
    /// tenant rules decide the rest.
    /// </summary>
    private static bool IsIssuer(string? issuer, SessionSettings current)
    {
        if (string.IsNullOrEmpty(issuer))
        {
            return false;
        }

        if (issuer.TrimEnd('/') == current.Authority || current.OfProvider?.Issuers.Contains(issuer) == true)
        {
            return !IssuerRule.IsTemplate(issuer) || current.OfProvider is { AllowedTenants.Count: > 0 };
        }

        return current.OfProvider is { Type: ProviderType.Entra } entra
            && (!IssuerRule.IsTemplate(issuer) || entra.AllowedTenants.Count > 0)
            && Uri.TryCreate(issuer.Replace("{tenantid}", "tenantid", StringComparison.Ordinal), UriKind.Absolute, out var named)
            && Uri.TryCreate(current.Authority, UriKind.Absolute, out var asked)
            && named.GetLeftPart(UriPartial.Authority) == asked.GetLeftPart(UriPartial.Authority);
    }

    private static ProblemException Away(Exception? inner = null) =>
        new(
            new Problem(ProblemCodes.UpstreamUnavailable)
            {
                Detail = "The identity provider does not answer. Wait as long as Retry-After says, then try again.",
                RetryAfter = AskedAgainAfter,
            },
            inner
        );

    [LoggerMessage(
        1514,
        LogLevel.Warning,
        "The identity provider's discovery document could not be read: {Failure}; the one read before stays in "
            + "use, and without one sign-ins fail",
        EventName = "ProviderDiscoveryUnreadable"
    )]
    private static partial void LogAway(ILogger logger, string failure);
}
