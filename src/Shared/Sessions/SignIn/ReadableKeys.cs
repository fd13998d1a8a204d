using System.Text.Json;
using Bff.Callers.Keys;
using Microsoft.IdentityModel.Protocols;

namespace Bff.Sessions.SignIn;

/// <summary>
/// Leaves out published keys that cannot be read (RFC 7517 section 5). The package's reader would refuse the whole key set because of one
/// of them.
/// </summary>
internal sealed class ReadableKeys(IDocumentRetriever documents) : IDocumentRetriever
{
    /// <inheritdoc />
    public async Task<string> GetDocumentAsync(string address, CancellationToken cancel)
    {
        var text = await documents.GetDocumentAsync(address, cancel);
        try
        {
            using var document = JsonDocument.Parse(text);
            if (
                document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("keys", out var keys)
                || keys.ValueKind != JsonValueKind.Array
            )
            {
                return text;
            }

            var readable = keys.EnumerateArray().Where(key => PublishedKey.Read(key) is not null).Select(key => key.GetRawText()).ToList();
            return readable.Count > 0 ? "{\"keys\":[" + string.Join(',', readable) + "]}" : text;
        }
        catch (JsonException)
        {
            return text; // The package's reader reports it.
        }
    }
}
