using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Bff.Sessions;

/// <summary>
/// Creates the random names of sessions. The store knows a session by the hash of its cookie, so that reading the store reveals no cookie.
/// </summary>
internal static class SessionKey
{
    public const int CookieLength = 43;

    /// <summary>Returns a new cookie value of 256 random bits.</summary>
    public static string NewCookie() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>Returns a new session id of 128 random bits.</summary>
    public static string NewId() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16));

    public static string? OfCookie(string? cookie) => cookie is { Length: CookieLength } && Base64Url.IsValid(cookie) ? Hash(cookie) : null;

    public static string UserIndex(string subject) => "of-user:" + Hash(subject);

    /// <summary>Returns the index key of a user whose subject at the provider differs from the subject here.</summary>
    public static string ProviderUserIndex(string subject) => "of-sub:" + Hash(subject);

    public static string ProviderIndex(string providerSession) => "of-sid:" + Hash(providerSession);

    public static string Hash(string text) => Base64Url.EncodeToString(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
