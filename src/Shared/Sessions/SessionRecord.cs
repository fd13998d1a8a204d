using System.Collections.Frozen;
using System.Text.Json.Serialization;
using Bff.Requests;

namespace Bff.Sessions;

/// <summary>The data that the host keeps for a signed-in browser. Sealed before it leaves the process.</summary>
internal sealed record SessionRecord
{
    /// <summary>The id by which the user names the session. It reveals nothing about the cookie.</summary>
    public required string Id { get; init; }

    public required string Subject { get; init; }

    public string? Name { get; init; }

    public string? Email { get; init; }

    public string? Tenant { get; init; }

    public required string Client { get; init; }

    public string[] Roles { get; init; } = [];

    public string[] Scopes { get; init; } = [];

    /// <summary>The session at the provider (claim <c>sid</c>).</summary>
    public string? ProviderSession { get; init; }

    /// <summary>
    /// Claim <c>sub</c>, by which a logout token names the user, whichever claim <see cref="Subject"/> is read from. Null in records
    /// written before it was kept.
    /// </summary>
    public string? ProviderSubject { get; init; }

    /// <summary>Whether user info added anything to the id_token. A refreshed id_token will lack it again.</summary>
    public bool IsCompleted { get; init; }

    /// <summary>The id_token, if it is sent at sign-out; otherwise null.</summary>
    public string? IdToken { get; init; }

    /// <summary>The sign-in's nonce, which a refreshed id_token may repeat.</summary>
    public string? Nonce { get; init; }

    /// <summary>Name of the device, such as <c>Firefox on Linux</c>.</summary>
    public required string Device { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The absolute end.</summary>
    public required DateTimeOffset EndsAt { get; init; }

    public required string AccessToken { get; init; }

    public required DateTimeOffset AccessTokenIssuedAt { get; init; }

    public required DateTimeOffset AccessTokenEndsAt { get; init; }

    public string? RefreshToken { get; init; }

    /// <summary>Returns the time from which the access token should be refreshed.</summary>
    public DateTimeOffset RefreshAt(TimeSpan before)
    {
        var half = (AccessTokenEndsAt - AccessTokenIssuedAt) / 2;
        return AccessTokenEndsAt - (before < half ? before : half);
    }

    public Caller ToCaller() =>
        new()
        {
            Subject = Subject,
            Kind = CallerKind.Session,
            Tenant = Tenant,
            Client = Client,
            Email = Email,
            Name = Name,
            Roles = Roles,
            Scopes = Scopes.ToFrozenSet(StringComparer.Ordinal),
            IssuedAt = CreatedAt,
            ExpiresAt = EndsAt,
            SessionId = Id,
        };
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(SessionRecord))]
internal sealed partial class SessionRecordJson : JsonSerializerContext;
