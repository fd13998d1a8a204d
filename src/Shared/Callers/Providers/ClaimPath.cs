using System.Text.Json;

namespace Bff.Callers.Providers;

/// <summary>
/// The name of a claim, or the way to one inside an object: a name that exists as written wins, else dots lead into objects.
/// </summary>
internal static class ClaimPath
{
    /// <summary>False where there is no such claim, or it is null.</summary>
    /// <param name="claims">An object.</param>
    /// <param name="path">Such as <c>roles</c>, <c>https://shop.example/roles</c>, <c>realm_access.roles</c>.</param>
    /// <param name="value">What is there.</param>
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

        // A member's own name may have dots (a client of Keycloak), so every dot is tried.
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
