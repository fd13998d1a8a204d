namespace PartnerBff.Portal.Keys;

/// <summary>A key in the list.</summary>
public sealed record KeyRow(
    string Id,
    string Name,
    string Shown,
    bool IsTest,
    IReadOnlyList<string> Scopes,
    DateTimeOffset CreatedAt,
    DateTimeOffset? LastUsedAt,
    DateTimeOffset? ExpiresAt,
    bool HasEnded,
    bool EndsSoon
);

/// <summary>The tenant's keys.</summary>
public sealed record KeyList(IReadOnlyList<KeyRow> Keys, string? Notice);

/// <summary>The form for a new key, with its values and mistakes.</summary>
public sealed record KeyForm(
    string Name,
    IReadOnlyList<string> Scopes,
    string Mode,
    string Expiry,
    IReadOnlyDictionary<string, string[]> Errors
)
{
    /// <summary>The scopes that the page offers.</summary>
    public static readonly (string Scope, string Meaning)[] AllScopes =
    [
        ("orders.read", "List and read orders"),
        ("orders.write", "Place and cancel orders"),
        ("products.read", "Read the catalogue"),
        ("inventory.read", "Read stock levels"),
        ("account.read", "Read plan and limits"),
        ("usage.read", "Read usage and billing figures"),
        ("keys.manage", "Create, rotate and revoke keys"),
        ("webhooks.manage", "Manage webhook endpoints"),
        ("events.read", "Replay events"),
    ];

    /// <summary>The lifetimes that the page offers.</summary>
    public static readonly (string Days, string Name)[] Expiries =
    [
        ("", "Never"),
        ("30", "In 30 days"),
        ("90", "In 90 days"),
        ("365", "In a year"),
    ];
}

/// <summary>A new key, which is shown only once.</summary>
/// <param name="Key">The key itself.</param>
/// <param name="Row">The key as it is listed from now on.</param>
/// <param name="PreviousEndsAt">When the replaced key expires.</param>
/// <param name="HasPreviousEnded">Whether the replaced key has expired already.</param>
/// <param name="Example">An address that the key may read.</param>
public sealed record MadeKey(string Key, KeyRow Row, DateTimeOffset? PreviousEndsAt, bool HasPreviousEnded, string Example);
