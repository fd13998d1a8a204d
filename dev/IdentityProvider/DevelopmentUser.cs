using System.Globalization;

namespace Bff.Dev.IdentityProvider;

public sealed record DevelopmentUser
{
    public string UserName { get; init; } = "";
    public string Subject { get; init; } = "";
    public string Name { get; init; } = "";
    public string Email { get; init; } = "";
    public string TenantId { get; init; } = "";
    public string[] Roles { get; init; } = [];

    internal bool Answers(string hint) =>
        string.Equals(hint, UserName, StringComparison.OrdinalIgnoreCase)
        || string.Equals(hint, Subject, StringComparison.Ordinal)
        || string.Equals(hint, Email, StringComparison.OrdinalIgnoreCase);
}

internal static class DefaultUsers
{
    private static readonly string[] GenericTenants = ["acme", "globex", "initech"];

    public static List<DevelopmentUser> Create() =>
        [
            User("alice", "u-1001", "Alice Moreau", "acme", "premium"),
            User("bob", "u-1002", "Bob Lindqvist", "globex", "free"),
            User("carol", "u-1003", "Carol Jensen", "acme", "enterprise", "partner-admin"),
            User("dave", "u-1004", "Dave Okafor", "initech", "partner-admin"),
        ];

    /// <summary>Finds a listed user by name, subject or e-mail address, or one of the generic users u-1005 to u-1100.</summary>
    public static DevelopmentUser? Find(this List<DevelopmentUser> users, string? hint)
    {
        if (string.IsNullOrEmpty(hint))
            return null;
        return users.Find(user => user.Answers(hint)) ?? Generic(hint);
    }

    private static DevelopmentUser? Generic(string hint)
    {
        var subject = hint.EndsWith("@example.com", StringComparison.Ordinal) ? hint[..^"@example.com".Length] : hint;
        if (subject.Length != 6 || !subject.StartsWith("u-", StringComparison.Ordinal))
            return null;
        if (!int.TryParse(subject.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return null;
        if (number is < 1005 or > 1100)
            return null;
        return User(subject, subject, string.Create(CultureInfo.InvariantCulture, $"User {number}"), GenericTenants[number % 3], "free");
    }

    private static DevelopmentUser User(string userName, string subject, string name, string tenant, params string[] roles) =>
        new()
        {
            UserName = userName,
            Subject = subject,
            Name = name,
            Email = userName + "@example.com",
            TenantId = tenant,
            Roles = roles,
        };
}
