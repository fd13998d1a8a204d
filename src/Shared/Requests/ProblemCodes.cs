using System.Collections.Frozen;

namespace Bff.Requests;

/// <summary>The catalogue of every problem that a gateway makes. Clients depend on the codes: add codes, never rename one.</summary>
public static class ProblemCodes
{
#pragma warning disable CS1591 // The explanation of each code is its documentation.
    public static readonly ProblemCode MalformedRequest = new(
        "malformed_request",
        400,
        "Malformed request",
        "The request is not well-formed. Correct it before sending it again."
    );
    public static readonly ProblemCode ValidationFailed = new(
        "validation_failed",
        400,
        "Validation failed",
        "One or more members or parameters are not valid. Correct those that errors names."
    );
    public static readonly ProblemCode IdempotencyKeyRequired = new(
        "idempotency_key_required",
        400,
        "Idempotency key required",
        "Send an Idempotency-Key header of 1 to 255 characters: a new key for each operation, the same key when it is repeated."
    );
    public static readonly ProblemCode InvalidCursor = new(
        "invalid_cursor",
        400,
        "Invalid cursor",
        "The cursor was not issued for this caller and request. Start again without it."
    );
    public static readonly ProblemCode QueryTooComplex = new(
        "query_too_complex",
        400,
        "Query too complex",
        "The GraphQL query is deeper or larger than this endpoint accepts, or has more aliases. Split it into smaller queries."
    );
    public static readonly ProblemCode PersistedQueryNotFound = new(
        "persisted_query_not_found",
        400,
        "PersistedQueryNotFound",
        "No GraphQL document is known under this hash or id. Send the document itself."
    );
    public static readonly ProblemCode MissingToken = new(
        "missing_token",
        401,
        "Credential missing",
        "The request has no credential, and this resource requires one. Sign in, or send a credential."
    );
    public static readonly ProblemCode InvalidToken = new(
        "invalid_token",
        401,
        "Invalid token",
        "The access token is not valid for this API. Obtain a new one."
    );
    public static readonly ProblemCode TokenExpired = new(
        "token_expired",
        401,
        "Token expired",
        "The access token has expired. Obtain a new one."
    );
    public static readonly ProblemCode TokenRevoked = new(
        "token_revoked",
        401,
        "Token revoked",
        "The access token has been revoked. Sign in again."
    );
    public static readonly ProblemCode InvalidApiKey = new(
        "invalid_api_key",
        401,
        "Invalid API key",
        "The API key is unknown, revoked or mistyped. Send a valid key."
    );
    public static readonly ProblemCode SessionExpired = new(
        "session_expired",
        401,
        "Session expired",
        "The session has ended. Sign in again."
    );
    public static readonly ProblemCode InsufficientScope = new(
        "insufficient_scope",
        403,
        "Insufficient scope",
        "The credential lacks the scope that this resource requires. Use a credential with this scope."
    );
    public static readonly ProblemCode AddressNotAllowed = new(
        "address_not_allowed",
        403,
        "Address not allowed",
        "The credential may not be used from this address. Send the request from an allowed address."
    );
    public static readonly ProblemCode EndpointNotInPlan = new(
        "endpoint_not_in_plan",
        403,
        "Endpoint not in plan",
        "The plan does not include this endpoint. Change to a plan that includes it."
    );
    public static readonly ProblemCode CsrfRejected = new(
        "csrf_rejected",
        403,
        "Cross-site request rejected",
        "Send the header X-CSRF: 1 from a page of the same site."
    );
    public static readonly ProblemCode Forbidden = new(
        "forbidden",
        403,
        "Forbidden",
        "The caller is not allowed to do this. Use a credential that allows it."
    );
    public static readonly ProblemCode OperationNotAllowed = new(
        "operation_not_allowed",
        403,
        "Operation not allowed",
        "This endpoint does not accept this GraphQL operation. Send a different one."
    );
    public static readonly ProblemCode NotFound = new(
        "not_found",
        404,
        "Not found",
        "The resource does not exist, or the caller may not see it. Check the address and the credential."
    );
    public static readonly ProblemCode MethodNotAllowed = new(
        "method_not_allowed",
        405,
        "Method not allowed",
        "The resource does not support this method. Use a method that the Allow header names."
    );
    public static readonly ProblemCode NotAcceptable = new(
        "not_acceptable",
        406,
        "Not acceptable",
        "No representation of the resource satisfies the Accept header. Send a different Accept header, or none."
    );
    public static readonly ProblemCode RequestTimeout = new(
        "request_timeout",
        408,
        "Request timeout",
        "The request took too long to arrive. Send it again."
    );
    public static readonly ProblemCode IdempotencyInFlight = new(
        "idempotency_in_flight",
        409,
        "Request in flight",
        "A request with the same Idempotency-Key is still running. Wait, then repeat this one."
    );
    public static readonly ProblemCode Conflict = new(
        "conflict",
        409,
        "Conflict",
        "The current state of the resource does not allow this. Read the resource before you try again."
    );
    public static readonly ProblemCode SyncTokenExpired = new(
        "sync_token_expired",
        410,
        "Sync token expired",
        "The sync token is too old. Start again without the parameter since."
    );
    public static readonly ProblemCode VersionRetired = new(
        "version_retired",
        410,
        "Version retired",
        "This version of the API has been retired. Use its successor."
    );
    public static readonly ProblemCode PreconditionFailed = new(
        "precondition_failed",
        412,
        "Precondition failed",
        "The resource has changed since it was read. Read it again and repeat the change."
    );
    public static readonly ProblemCode PayloadTooLarge = new(
        "payload_too_large",
        413,
        "Payload too large",
        "The body is larger than this endpoint or plan accepts. Send a smaller one."
    );
    public static readonly ProblemCode UriTooLong = new(
        "uri_too_long",
        414,
        "URI too long",
        "The request's path and query are too long. Send shorter ones."
    );
    public static readonly ProblemCode UnsupportedMediaType = new(
        "unsupported_media_type",
        415,
        "Unsupported media type",
        "Send the body as application/json."
    );
    public static readonly ProblemCode IdempotencyMismatch = new(
        "idempotency_mismatch",
        422,
        "Idempotency key reused",
        "The Idempotency-Key was already used with a different request. Use a new key."
    );
    public static readonly ProblemCode Unprocessable = new(
        "unprocessable",
        422,
        "Request refused",
        "The service refused the request. Its type, title and detail say why."
    );
    public static readonly ProblemCode DependencyFailed = new(
        "dependency_failed",
        424,
        "Dependency failed",
        "This operation was not tried, because an operation on which it depends failed. Correct that one and send both again."
    );
    public static readonly ProblemCode PreconditionRequired = new(
        "precondition_required",
        428,
        "Precondition required",
        "Send an If-Match header with the version of the resource that you want to change."
    );
    public static readonly ProblemCode TooManyFailedCredentials = new(
        "too_many_failed_credentials",
        429,
        "Too many failed credentials",
        "Too many invalid credentials were sent from this address. Wait as long as Retry-After says."
    );
    public static readonly ProblemCode RateLimitExceeded = new(
        "rate_limit_exceeded",
        429,
        "Rate limit exceeded",
        "Too many requests. Wait as long as Retry-After says."
    );
    public static readonly ProblemCode QuotaExceeded = new(
        "quota_exceeded",
        429,
        "Quota exceeded",
        "The day's quota is used up. Wait as long as Retry-After says."
    );
    public static readonly ProblemCode HeadersTooLarge = new(
        "request_header_fields_too_large",
        431,
        "Request header fields too large",
        "The request's header fields are too large. Send fewer or shorter ones."
    );
    public static readonly ProblemCode ClientError = new(
        "client_error",
        400,
        "Client error",
        "The request cannot be served in this form. The status says why."
    );
    public static readonly ProblemCode InternalError = new(
        "internal_error",
        500,
        "Internal error",
        "An unexpected error occurred in the gateway. If it happens again, give support the request id."
    );
    public static readonly ProblemCode UpstreamFailed = new(
        "upstream_failed",
        502,
        "Upstream failed",
        "A service behind the gateway did not answer properly. Try again later; repeat a write only with its Idempotency-Key."
    );
    public static readonly ProblemCode UpstreamUnavailable = new(
        "upstream_unavailable",
        503,
        "Upstream unavailable",
        "A service behind the gateway is unavailable. Wait as long as Retry-After says, then try again."
    );
    public static readonly ProblemCode Overloaded = new(
        "overloaded",
        503,
        "Overloaded",
        "The gateway is overloaded. Wait as long as Retry-After says, then try again."
    );
    public static readonly ProblemCode StoreUnavailable = new(
        "store_unavailable",
        503,
        "Store unavailable",
        "A store that this request needs is unavailable. Try again later."
    );
    public static readonly ProblemCode UpstreamTimeout = new(
        "upstream_timeout",
        504,
        "Upstream timeout",
        "A service behind the gateway did not answer in time. Try again later; repeat a write only with its Idempotency-Key."
    );
#pragma warning restore CS1591

    /// <summary>All codes by name.</summary>
    public static FrozenDictionary<string, ProblemCode> All { get; } =
        typeof(ProblemCodes).GetFields().Select(f => (ProblemCode)f.GetValue(null)!).ToFrozenDictionary(p => p.Code);

    /// <summary>Returns the code for a bare status, such as one set by the framework. Null below 400.</summary>
    public static ProblemCode? ForStatus(int status) =>
        status switch
        {
            < 400 => null,
            400 => MalformedRequest,
            401 => MissingToken,
            403 => Forbidden,
            404 => NotFound,
            405 => MethodNotAllowed,
            406 => NotAcceptable,
            408 => RequestTimeout,
            409 => Conflict,
            412 => PreconditionFailed,
            413 => PayloadTooLarge,
            414 => UriTooLong,
            415 => UnsupportedMediaType,
            422 => Unprocessable,
            428 => PreconditionRequired,
            429 => RateLimitExceeded,
            431 => HeadersTooLarge,
            502 => UpstreamFailed,
            503 => UpstreamUnavailable,
            504 => UpstreamTimeout,
            >= 500 => InternalError,
            _ => ClientError with { Status = status },
        };
}
