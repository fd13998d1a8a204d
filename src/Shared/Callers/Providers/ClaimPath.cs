using System.Text.Json;

namespace Bff.Callers.Providers;

/// <summary>The name of a claim, or the path to one inside an object. An exact name wins; otherwise dots lead into objects.</summary>
internal static class ClaimPath
{
    /// <summary>Finds the claim. Returns false when it is absent or null.</summary>
    /// <param name="claims">The claims as a JSON object.</param>
    /// <param name="path">The path, such as <c>roles</c>, <c>https://shop.example/roles</c> or <c>realm_access.roles</c>.</param>
    /// <param name="value">The claim's value.</param>
    public static bool TryFind(JsonElement claims, ReadOnlySpan<char> path, out JsonElement value)
    {
        value = default;
        if (claims.ValueKind != JsonValueKind.Object)
        {
            return false;
        }

        if (claims.TryGetProperty(path, out value))
        {
            return value.ValueKind != JsonValueKind.Null;
        }

        // A member's own name may contain dots (a Keycloak client), so every dot is tried.
        for (var at = path.IndexOf('.'); at >= 0; )
        {
            if (claims.TryGetProperty(path[..at], out var inner) && TryFind(inner, path[(at + 1)..], out value))
            {
                return true;
            }

            var next = path[(at + 1)..].IndexOf('.');
            at = next < 0 ? -1 : at + 1 + next;
        }

        return false;
    }
}
