using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace Bff.Callers.Keys;

/// <summary>Reads one entry of a published key set.</summary>
internal static class PublishedKey
{
    /// <summary>Returns the key; null if it cannot be read, so that it does not invalidate the others (RFC 7517 section 5).</summary>
    public static JsonWebKey? Read(JsonElement entry)
    {
        try
        {
            return entry.ValueKind == JsonValueKind.Object ? new JsonWebKey(entry.GetRawText()) : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
