using Bff.Callers.Life;
using Bff.Configuration;
using Bff.Requests;
using Microsoft.AspNetCore.Http;

namespace Bff.Callers.ApiKeys;

/// <summary>Tracks API keys that are deleted, rotated or removed from configuration during a response to their caller.</summary>
internal sealed class ApiKeyLife(IApiKeyStore store, Reloadable<ApiKeySettings> settings) : ICredentialLife
{
    /// <inheritdoc />
    public CallerKind Kind => CallerKind.ApiKey;

    /// <inheritdoc />
    public (string Name, CredentialState State) Of(HttpContext context, Caller caller) =>
        (caller.KeyId ?? "", new(caller.ExpiresAt ?? DateTimeOffset.MaxValue, DateTimeOffset.MaxValue));

    /// <inheritdoc />
    public void OnChanged(Action<string?> changed)
    {
        store.Changed += what =>
        {
            if (what != IApiKeyStore.Added)
            {
                changed(what == IApiKeyStore.Missed ? null : what);
            }
        };
        settings.OnChange(_ => changed(null));
    }

    /// <inheritdoc />
    public async ValueTask<CredentialState> Look(Caller caller, string name, CancellationToken cancellation)
    {
        if (caller.KeyHash is not { } hash)
        {
            return CredentialState.Over;
        }

        var record = settings.Current.Bootstrap.GetValueOrDefault(hash) ?? await store.Find(hash, cancellation);
        return record is null ? CredentialState.Over : new(record.ExpiresAt ?? DateTimeOffset.MaxValue, DateTimeOffset.MaxValue);
    }
}
