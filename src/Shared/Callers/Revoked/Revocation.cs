using System.Globalization;

namespace Bff.Callers.Revoked;

/// <summary>A revocation of one token, or of all tokens of a subject that were issued before a given time.</summary>
/// <param name="TokenId">Claim <c>jti</c>; null when a subject is revoked.</param>
/// <param name="Subject">Claim <c>sub</c>; null when one token is revoked.</param>
/// <param name="IssuedBefore">For a subject: tokens with an earlier <c>iat</c> or without one are revoked.</param>
/// <param name="Until">When every token that it applies to has expired, so that it may be dropped.</param>
public sealed record Revocation(string? TokenId, string? Subject, DateTimeOffset IssuedBefore, DateTimeOffset Until)
{
    /// <summary>Creates a revocation of one token.</summary>
    public static Revocation OfToken(string tokenId, DateTimeOffset until) => new(tokenId, null, default, until);

    /// <summary>Creates a revocation of everything that was issued to the subject before a given time.</summary>
    public static Revocation OfSubject(string subject, DateTimeOffset issuedBefore, DateTimeOffset until) =>
        new(null, subject, issuedBefore, until);

    /// <summary>Returns the key of the revocation as one line, which is the member of the sorted set.</summary>
    internal string ToMember() =>
        TokenId is not null
            ? "j:" + TokenId
            : string.Create(CultureInfo.InvariantCulture, $"s:{IssuedBefore.ToUnixTimeMilliseconds()}:{Subject}");

    /// <summary>Reads the result of <see cref="ToMember"/>; null for a form that another version may have written.</summary>
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
