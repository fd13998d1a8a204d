using System.Net;
using System.Text.Json;
using Duende.IdentityModel;
using Duende.IdentityModel.Client;

namespace Bff.Callers.Clients;

/// <summary>Shared parts of requests to a provider's endpoints: authentication of the host, errors, and addresses.</summary>
internal static class ClientRequests
{
    /// <summary>Adds the client's id and the proof that the host is that client.</summary>
    /// <param name="request">A request to any endpoint, with its address set.</param>
    /// <param name="id">The client's id.</param>
    /// <param name="secret">The client's secret; not used when a key signs.</param>
    /// <param name="authentication">How the client authenticates.</param>
    /// <param name="assertion">Creates an assertion; null when the secret is the proof.</param>
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
        // RFC 6749 section 2.3.1: the id and the secret are form-encoded before they are joined.
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
    /// Whether the response is JSON but not an object. The package's readers of a response throw <see cref="InvalidOperationException"/>
    /// then.
    /// </summary>
    public static bool HasOtherJson(this ProtocolResponse answer) => answer.Json is { ValueKind: not JsonValueKind.Object };

    /// <summary>
    /// Returns the error that a provider names; null when its response is not an error. RFC 6749 section 5.2 specifies 400 and 401; Auth0
    /// responds with 403.
    /// </summary>
    public static string? ErrorOf(ProtocolResponse answer) =>
        answer.HttpStatusCode is HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden
        && answer.Json is { ValueKind: JsonValueKind.Object } json
            ? Text(json, OidcConstants.TokenResponse.Error)
            : null;

    /// <summary>
    /// Reads a discovery document (OpenID Connect Discovery 1.0, RFC 8414) and nothing that it links to. The package's reader also requests
    /// the keys, and throws <see cref="ArgumentNullException"/> on an empty response.
    /// </summary>
    /// <exception cref="InvalidDataException">The response is JSON but not an object.</exception>
    /// <exception cref="JsonException">The response is not JSON.</exception>
    /// <exception cref="HttpRequestException">The request fails.</exception>
    public static async Task<JsonElement> ReadDiscovery(this HttpClient client, Uri address, CancellationToken cancellation)
    {
        using var document = JsonDocument.Parse(await client.GetByteArrayAsync(address, cancellation));
        return document.RootElement.ValueKind == JsonValueKind.Object
            ? document.RootElement.Clone()
            : throw new InvalidDataException("The discovery document is no object.");
    }

    /// <summary>Returns an address that the discovery document names and that may be called.</summary>
    /// <exception cref="InvalidDataException">There is no such address.</exception>
    public static Uri Address(this JsonElement discovery, string name, bool requireHttps) =>
        Uri.TryCreate(Text(discovery, name), UriKind.Absolute, out var uri)
        && (uri.Scheme == Uri.UriSchemeHttps || (!requireHttps && uri.Scheme == Uri.UriSchemeHttp))
            ? uri
            : throw new InvalidDataException($"The discovery document names no usable {name}.");

    /// <summary>Returns a member's text; null when the member is missing or is not text.</summary>
    public static string? Text(JsonElement document, string name) =>
        document.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
