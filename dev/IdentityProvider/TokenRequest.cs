using System.Text.Json.Nodes;

namespace Bff.Dev.IdentityProvider;

/// <summary>
/// The content of an access token that is minted for development or a test. Members that are left out come from the user <see cref="Sub"/>,
/// or from the usual token of the mobile application.
/// </summary>
public sealed record TokenRequest
{
    public string Sub { get; init; } = "u-1001";
    public string? Tid { get; init; }
    public string[]? Roles { get; init; }
    public string? Scope { get; init; } = "openid profile email api";
    public string ClientId { get; init; } = "mobile-app";
    public string Aud { get; init; } = "bff";
    public TimeSpan ExpiresIn { get; init; } = TimeSpan.FromMinutes(10);
    public string Alg { get; init; } = SigningKey.Rs256;
    public string? Email { get; init; }
    public string? Name { get; init; }

    /// <summary>Claims that are added to or replace those above; a null value removes one.</summary>
    public JsonObject? Extra { get; init; }

    /// <summary>Id of the signing key, withdrawn or not, instead of the newest one.</summary>
    public string? Kid { get; init; }

    /// <summary>Whether the token is a handle that only introspection understands.</summary>
    public bool Opaque { get; init; }

    public TokenFlaw Flaw { get; init; }

    internal static TokenRequest From(JsonObject body) =>
        new()
        {
            Sub = Text(body, "sub") ?? "u-1001",
            Tid = Text(body, "tid"),
            Roles = body["roles"] is JsonArray roles ? [.. roles.Select(role => role!.GetValue<string>())] : null,
            Scope = Text(body, "scope") ?? "openid profile email api",
            ClientId = Text(body, "client_id") ?? "mobile-app",
            Aud = Text(body, "aud") ?? "bff",
            ExpiresIn = TimeSpan.FromSeconds(body["expiresIn"]?.GetValue<double>() ?? 600),
            Alg = Text(body, "alg") ?? SigningKey.Rs256,
            Email = Text(body, "email"),
            Name = Text(body, "name"),
            Extra = body["extra"] as JsonObject,
            Kid = Text(body, "kid"),
            Opaque = body["opaque"]?.GetValue<bool>() ?? false,
        };

    private static string? Text(JsonObject body, string name) => body[name]?.GetValue<string>();
}
