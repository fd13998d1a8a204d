using System.Net;
using System.Text.Json;
using Duende.IdentityModel;
using Duende.IdentityModel.Client;

namespace Bff.Callers.Clients;

/// <summary>
/// What requests to a provider's endpoints have in common: how the host proves itself, how a refusal is read, where the endpoints are.
/// </summary>
internal static class ClientRequests
{
    /// <summary>Adds the client's id, and what proves that the host is that client.</summary>
    /// <param name="request">Of any endpoint; its address is set.</param>
    /// <param name="id">The client's.</param>
    /// <param name="secret">The client's; not used where a key signs.</param>
    /// <param name="authentication">How.</param>
    /// <param name="assertion">Makes an assertion; null: the secret is the proof.</param>
    public static TRequest From<TRequest>(
        this TRequest request,
        string id,
        string? secret,
        ClientAuthentication authentication,
        Func<string>? assertion = null
    )
        where TRequest : ProtocolRequest
    {
        request.ClientId = id;
        request.ClientCredentialStyle =
            authentication == ClientAuthentication.Basic ? ClientCredentialStyle.AuthorizationHeader : ClientCredentialStyle.PostBody;
        // Section 2.3.1: both are form-encoded before they are joined.
        request.AuthorizationHeaderStyle = BasicAuthenticationHeaderStyle.Rfc6749;
        if (assertion is null)
        {
            request.ClientSecret = secret;
        }
        else
        {
            request.ClientAssertion = new() { Type = OidcConstants.ClientAssertionTypes.JwtBearer, Value = assertion() };
        }

        return request;
    }

    /// <summary>
    /// Whether the answer is JSON and no object: what the package reads of an answer would throw
    /// <see cref="InvalidOperationException"/> then.
    /// </summary>
    public static bool HasOtherJson(this ProtocolResponse answer) => answer.Json is { ValueKind: not JsonValueKind.Object };

    /// <summary>
    /// The error that a provider names; null where its answer is no refusal. RFC 6749 section 5.2 has 400 and 401; Auth0 answers 403.
    /// </summary>
    public static string? ErrorOf(ProtocolResponse answer) =>
        answer.HttpStatusCode is HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
        && answer.Json is { ValueKind: JsonValueKind.Object } json
            ? Text(json, OidcConstants.TokenResponse.Error)
            : null;

    /// <summary>
    /// Reads a discovery document (OpenID Connect Discovery 1.0, RFC 8414), and nothing that it leads to. The package's reader asks for the
    /// keys as well, and throws <see cref="ArgumentNullException"/> on an empty answer.
    /// </summary>
    /// <exception cref="InvalidDataException">It is not one.</exception>
    /// <exception cref="JsonException">As above.</exception>
    /// <exception cref="HttpRequestException">Nothing answers there.</exception>
    public static async Task<JsonElement> ReadDiscovery(this HttpClient client, Uri address, CancellationToken cancellation)
    {
        using var document = JsonDocument.Parse(await client.GetByteArrayAsync(address, cancellation));
        return document.RootElement.ValueKind == JsonValueKind.Object
            ? document.RootElement.Clone()
            : throw new InvalidDataException("The discovery document is no object.");
    }

    /// <summary>An address that the discovery document names and that may be asked.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public static Uri Address(this JsonElement discovery, string name, bool requireHttps) =>
        Uri.TryCreate(Text(discovery, name), UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttps || (!requireHttps && uri.Scheme == Uri.UriSchemeHttp))
            ? uri
            : throw new InvalidDataException($"The discovery document names no usable {name}.");

    /// <summary>A member that is text; null otherwise.</summary>
    public static string? Text(JsonElement document, string name) =>
        document.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
