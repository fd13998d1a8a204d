namespace PartnerBff.OpenApi;

/// <summary>Texts for partners' developers in the documents.</summary>
internal static class Texts
{
    public const string Key =
        "New for each operation, the same for each repeat of it; 1 to 255 characters, quoted (RFC 8941) or bare. Kept for 24 hours per tenant and mode.";

    public const string Introduction = """
        Orders, products, stock, your account and its keys.

        **Credentials.** Send an API key as `Authorization: Bearer pk_…` or `X-API-Key: pk_…`, or the access token of an OAuth client-credentials grant.
        `pk_test_` keys are served by a sandbox and see nothing live.

        **Repeating safely.** Operations that take an `Idempotency-Key` act once per key, however often the request is repeated: the first answer is
        given again with `Idempotent-Replayed: true`. While it is still running a repeat gets 409 `idempotency_in_flight`; another request under the
        key gets 422 `idempotency_mismatch`. After a 5xx or a lost connection, repeat under the same key.

        **Pages.** Lists answer `{ data, has_more, next_cursor }` and `Link: <…>; rel="next"`.

        **Errors** are problem documents (RFC 9457); rely on `code`. 429 and 503 say in `Retry-After` when to come back.

        **Limits.** Every answer says what is left: `RateLimit-Policy`, `RateLimit`, and `X-RateLimit-*`.

        **Changes.** Members may be added at any time: ignore those you do not know. A version that is to end says so in `Deprecation` and `Sunset` for at
        least six months.
        """;
}
