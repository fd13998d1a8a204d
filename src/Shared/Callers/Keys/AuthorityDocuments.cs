using System.Text.Json;
using Bff.Callers.Clients;
using Bff.Callers.Providers;
using Microsoft.IdentityModel.Tokens;

namespace Bff.Callers.Keys;

/// <summary>Reads what an authority publishes (OpenID Connect Discovery 1.0, RFC 8414, RFC 7517) and trusts none of it unchecked.</summary>
internal sealed class AuthorityDocuments(IHttpClientFactory clients, ProviderSettings settings)
{
    /// <summary>The name of the <see cref="HttpClient"/>.</summary>
    public const string ClientName = "bff-authority";

    private const int MaxKeys = 64;

    /// <summary>The issuer, and the address of the keys.</summary>
    public sealed record Discovery(string? Issuer, Uri KeysAddress);

    /// <summary>Reads the discovery document.</summary>
    /// <exception cref="InvalidDataException">It is not a discovery document, or no issuer is known.</exception>
    public async Task<Discovery> ReadDiscovery(CancellationToken cancellation)
    {
        using var timeout = Timeout(cancellation);
        using var client = clients.CreateClient(ClientName);
        var document = await client.ReadDiscovery(settings.MetadataAddress!, timeout.Token);
        var issuer = ClientRequests.Text(document, "issuer") is { Length: > 0 } named ? named : null;
        if (issuer is null && settings.Issuers.Count == 0)
        {
            throw new InvalidDataException("The discovery document names no issuer."); // Without one every token would be refused.
        }

        return new Discovery(issuer, document.Address("jwks_uri", settings.RequireHttpsMetadata));
    }

    /// <summary>Reads the keys. An empty list withdraws all keys. A list without a single usable key is an error.</summary>
    /// <exception cref="InvalidDataException">It is not a key set.</exception>
    public async Task<List<VerificationKey>> ReadKeys(Uri address, CancellationToken cancellation)
    {
        using var document = await Read(address, cancellation);
        if (
            document.RootElement.ValueKind != JsonValueKind.Object
            || !document.RootElement.TryGetProperty("keys", out var list)
            || list.ValueKind != JsonValueKind.Array
        )
        {
            throw new InvalidDataException("The key document has no list of keys.");
        }

        var keys = new List<VerificationKey>();
        foreach (var element in list.EnumerateArray().Take(MaxKeys))
        {
            if (PublishedKey.Read(element) is { } published && VerificationKey.Published(published, IssuerOf(element)) is { } key)
            {
                keys.Add(key);
            }
        }

        return keys.Count > 0 || list.GetArrayLength() == 0 ? keys : throw new InvalidDataException("The key document has no usable key.");
    }

    /// <summary>
    /// Returns the issuer that may sign with the key. Entra names it for each key (<c>issuer</c>, which may be a template), because the
    /// keys of one tenant must not sign for another.
    /// </summary>
    private string? IssuerOf(JsonElement key) =>
        settings.Type == ProviderType.Entra && key.TryGetProperty("issuer", out var issuer) && issuer.ValueKind == JsonValueKind.String
            ? issuer.GetString()
            : null;

    private async Task<JsonDocument> Read(Uri address, CancellationToken cancellation)
    {
        using var timeout = Timeout(cancellation);
        using var client = clients.CreateClient(ClientName);
        return JsonDocument.Parse(await client.GetByteArrayAsync(address, timeout.Token));
    }

    private CancellationTokenSource Timeout(CancellationToken cancellation)
    {
        var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(settings.BackchannelTimeout);
        return timeout;
    }
}
