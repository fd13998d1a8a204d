namespace PartnerBff.OpenApi;

/// <summary>Texts for partners' developers in the documents.</summary>
internal static class Texts
{
    public const string Key =
        "Key that identifies the operation: new for each operation, the same when it is repeated. 1 to 255 "
        + "characters, quoted (RFC 8941) or bare. Kept for 24 hours per tenant and mode.";

    public const string Introduction = """
        Orders, products, stock, your account and its keys.

        **Credentials.** Send an API key as `Authorization: Bearer pk_…` or `X-API-Key: pk_…`, or the access token of an OAuth client-credentials grant.
        Requests with a `pk_test_` key go to a sandbox and never reach live data.

        **Idempotency.** An operation with an `Idempotency-Key` runs once per key, however often the request is repeated. A repeat gets the first answer
        again, with `Idempotent-Replayed: true`. While the first request is still running, a repeat gets 409 `idempotency_in_flight`. A different request
        with the same key gets 422 `idempotency_mismatch`. After a 5xx or a lost connection, repeat the request with the same key.

        **Pages.** Lists answer `{ data, has_more, next_cursor }` and `Link: <…>; rel="next"`.

        **Errors** are problem documents (RFC 9457). Rely on `code`. After 429 and 503 wait as many seconds as `Retry-After` gives.

        **Limits.** Every answer gives the limits and the units that remain, in `RateLimit-Policy`, `RateLimit` and `X-RateLimit-*`.

        **Changes.** Members may be added at any time: ignore those you do not know. The answers of a version announce its end in `Deprecation` and `Sunset`
        at least six months before.
        """;
}
