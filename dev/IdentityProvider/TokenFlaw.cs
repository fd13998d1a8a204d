namespace Bff.Dev.IdentityProvider;

/// <summary>Deliberate flaws of a token, so that a test can show that it is refused.</summary>
[Flags]
public enum TokenFlaw
{
    None = 0,
    WrongIssuer = 1 << 0,
    WrongAudience = 1 << 1,
    Expired = 1 << 2,
    IssuedInTheFuture = 1 << 3,

    /// <summary>Signed by a key with the same id that is not the provider's.</summary>
    ForeignSignature = 1 << 4,

    /// <summary><c>alg: none</c>, no signature.</summary>
    NoSignature = 1 << 5,

    /// <summary>HS256 with the published public key as the secret (RFC 8725, section 2.1).</summary>
    PublicKeyAsSecret = 1 << 6,

    /// <summary>Signed by a key that is in no key set, with an unknown id.</summary>
    UnknownKey = 1 << 7,
    WrongType = 1 << 8,
    WrongNonce = 1 << 9,
    MissingNonce = 1 << 10,
    WithNonce = 1 << 11,
    MissingEvents = 1 << 12,
    MissingJti = 1 << 13,
    MissingSidAndSub = 1 << 14,
    MissingIssuedAt = 1 << 15,
    MissingExpiry = 1 << 16,

    /// <summary>A header without <c>typ</c>. Not a flaw (RFC 7519, section 5.1), but not what most providers send.</summary>
    MissingType = 1 << 17,
}
