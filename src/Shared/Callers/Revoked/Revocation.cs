using System.Globalization;

namespace Bff.Callers.Revoked;

/// <summary>What is revoked: one token, or all of a subject's that were issued before a moment.</summary>
/// <param name="TokenId">Claim <c>jti</c>; null when the subject is meant.</param>
/// <param name="Subject">Claim <c>sub</c>; null when one token is meant.</param>
/// <param name="IssuedBefore">For a subject: tokens with an earlier <c>iat</c>, and those without one.</param>
/// <param name="Until">When every token that it could mean has expired, so that it may be forgotten.</param>
public sealed record Revocation(string? TokenId, string? Subject, DateTimeOffset IssuedBefore, DateTimeOffset Until)
{
    /// <summary>One token.</summary>
    public static Revocation OfToken(string tokenId, DateTimeOffset until) => new(tokenId, null, default, until);

    /// <summary>Everything that the subject was issued before a moment.</summary>
    public static Revocation OfSubject(string subject, DateTimeOffset issuedBefore, DateTimeOffset until) =>
        new(null, subject, issuedBefore, until);

    /// <summary>Which one, as one line: the member of the sorted set.</summary>
    internal string ToMember() =>
        TokenId is not null
            ? "j:" + TokenId
            : string.Create(CultureInfo.InvariantCulture, $"s:{IssuedBefore.ToUnixTimeMilliseconds()}:{Subject}");

    /// <summary>The reverse of <see cref="ToMember"/>; null for what another version may have written.</summary>
    internal static Revocation? FromMember(string member, DateTimeOffset until)
    {
        if (member.StartsWith("j:", StringComparison.Ordinal))
        {
            return OfToken(member[2..], until);
        }

        var end = member.StartsWith("s:", StringComparison.Ordinal) ? member.IndexOf(':', 2) : -1;
        return end > 0 && long.TryParse(member.AsSpan(2, end - 2), CultureInfo.InvariantCulture, out var milliseconds)
            ? OfSubject(member[(end + 1)..], DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), until)
            : null;
    }
}
