using System.Collections.Frozen;

namespace Bff.Callers.Providers;

/// <summary>Which claims of a provider's tokens hold which facts. Each member is a list of <see cref="ClaimPath"/>s.</summary>
internal sealed record ClaimMap
{
    /// <summary>The map used when no provider is named.</summary>
    public static readonly ClaimMap Default = ClaimDefaults.Of(ProviderType.Generic, []);

    public required ProviderType Type { get; init; }

    public string[] Subject { get; init; } = ["sub"];

    public string[] Email { get; init; } = ["email"];

    public string[] Name { get; init; } = ["name"];

    public string[] Roles { get; init; } = ["roles", "role"];

    public string[] Scopes { get; init; } = ["scope", "scp"];

    public string[] Tenant { get; init; } = ["tid", "tenant"];

    public string[] Client { get; init; } = ["client_id", "azp"];

    /// <summary>A prefix that is removed from scopes; null for none.</summary>
    public string? ScopePrefix { get; init; }

    /// <summary>Maps a token's scope to the gateway's scope.</summary>
    public FrozenDictionary<string, string> ScopeAliases { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>Whether an application's roles count as scopes.</summary>
    public bool RolesAsScopes { get; init; }

    /// <summary>Returns the gateway's name of a token's scope.</summary>
    public string Scope(string scope)
    {
        if (ScopeAliases.TryGetValue(scope, out var alias))
        {
            return alias;
        }

        if (ScopePrefix is null || scope.Length <= ScopePrefix.Length || !scope.StartsWith(ScopePrefix, StringComparison.Ordinal))
        {
            return scope;
        }

        var cut = scope[ScopePrefix.Length..];
        return ScopeAliases.GetValueOrDefault(cut, cut);
    }

    /// <summary>
    /// Returns the scopes of a session: those of a list separated by spaces (RFC 6749 section 3.3), with the gateway's names, and
    /// <c>api</c>. A provider that has only scopes of its own, such as Google, cannot grant that.
    /// </summary>
    public string[] SessionScopesOf(string list) =>
        [.. list.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Scope).Append("api").Distinct(StringComparer.Ordinal)];
}

/// <summary>The default claims of each type of provider, taken from its documentation.</summary>
internal static class ClaimDefaults
{
    /// <param name="type">The type of provider.</param>
    /// <param name="audiences">This gateway's audiences. Keycloak lists the roles of each audience below its name.</param>
    public static ClaimMap Of(ProviderType type, IReadOnlyList<string> audiences) =>
        type switch
        {
            ProviderType.Entra => new()
            {
                Type = type,
                Subject = ["oid", "sub"],
                Roles = ["roles"],
                Scopes = ["scp"],
                Tenant = ["tid"],
                Client = ["azp", "appid"],
                RolesAsScopes = true,
            },
            ProviderType.Keycloak => new()
            {
                Type = type,
                Roles = ["realm_access.roles", .. audiences.Select(a => $"resource_access.{a}.roles")],
                Scopes = ["scope"],
                Client = ["azp"],
            },
            ProviderType.Auth0 => new()
            {
                Type = type,
                Scopes = ["scope", "permissions"],
                Client = ["azp"],
            },
            ProviderType.Okta => new()
            {
                Type = type,
                Roles = ["groups"],
                Scopes = ["scp"],
                Client = ["cid"],
            },
            ProviderType.Cognito => new()
            {
                Type = type,
                Roles = ["cognito:groups"],
                Scopes = ["scope"],
                Client = ["client_id"],
            },
            _ => new() { Type = type },
        };
}
