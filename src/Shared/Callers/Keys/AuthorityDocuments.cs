using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace Bff.Callers;

/// <summary>What an authority publishes (OpenID Connect Discovery 1.0, RFC 8414, RFC 7517), read with suspicion.</summary>
internal sealed class AuthorityDocuments(IHttpClientFactory clients, ProviderSettings settings)
{
    /// <summary>The name of the <see cref="HttpClient"/>.</summary>
    public const string ClientName = "bff-authority";

    private const int MaxKeys = 64;

    /// <summary>Who issues, and where the keys are.</summary>
    public sealed record Discovery(string? Issuer, Uri KeysAddress);

    /// <summary>Reads the discovery document.</summary>
    /// <exception cref="InvalidDataException">It is not one.</exception>
    public async Task<Discovery> ReadDiscovery(CancellationToken cancellation)
    {
        using var document = await Read(settings.MetadataAddress!, cancellation);
        var root = document.RootElement;
        var address = root.ValueKind == JsonValueKind.Object && root.TryGetProperty("jwks_uri", out var uri) && uri.ValueKind == JsonValueKind.String ? uri.GetString() : null;
        if (!Uri.TryCreate(address, UriKind.Absolute, out var keys)
            || (keys.Scheme != Uri.UriSchemeHttps && (settings.RequireHttpsMetadata || keys.Scheme != Uri.UriSchemeHttp)))
        {
            throw new InvalidDataException("The discovery document names no usable jwks_uri.");
        }

        var issuer = root.TryGetProperty("issuer", out var named) && named.ValueKind == JsonValueKind.String ? named.GetString() : null;
        return new Discovery(string.IsNullOrEmpty(issuer) ? null : issuer, keys);
    }

    /// <summary>Reads the keys. An empty list withdraws everything; one without a single usable key is garbage.</summary>
    /// <exception cref="InvalidDataException">It is not a key set.</exception>
    public async Task<List<VerificationKey>> ReadKeys(Uri address, CancellationToken cancellation)
    {
        using var document = await Read(address, cancellation);
        if (document.RootElement.ValueKind != JsonValueKind.Object
            || !document.RootElement.TryGetProperty("keys", out var list) || list.ValueKind != JsonValueKind.Array)
        {
            throw new InvalidDataException("The key document has no list of keys.");
        }

        var keys = new List<VerificationKey>();
        foreach (var element in list.EnumerateArray().Take(MaxKeys))
        {
            if (Parse(element) is { } key)
            {
                keys.Add(key);
            }
        }

        return keys.Count > 0 || list.GetArrayLength() == 0 ? keys : throw new InvalidDataException("The key document has no usable key.");
    }

    private VerificationKey? Parse(JsonElement element)
    {
        try
        {
            return element.ValueKind == JsonValueKind.Object ? VerificationKey.Published(new JsonWebKey(element.GetRawText()), IssuerOf(element)) : null;
        }
        catch (ArgumentException)
        {
            return null; // One damaged key does not take the others along.
        }
    }

    /// <summary>Entra says of each key for whose tokens it is (<c>issuer</c>, perhaps a template): keys of one tenant must not sign for another.</summary>
    private string? IssuerOf(JsonElement key) => settings.Type == ProviderType.Entra && key.TryGetProperty("issuer", out var issuer) && issuer.ValueKind == JsonValueKind.String
        ? issuer.GetString()
        : null;

    private async Task<JsonDocument> Read(Uri address, CancellationToken cancellation)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timeout.CancelAfter(settings.BackchannelTimeout);
        using var client = clients.CreateClient(ClientName);
        var body = await client.GetByteArrayAsync(address, timeout.Token);
        return JsonDocument.Parse(body);
    }
}
