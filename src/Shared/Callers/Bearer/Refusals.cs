using Bff.Requests;

namespace Bff.Callers.Bearer;

/// <summary>The refusals of tokens. They are created once, so that a refused token costs little.</summary>
internal static class Refusals
{
    public static readonly CallerResult Malformed = CallerResult.Refused(
        ProblemCodes.InvalidToken,
        "The access token is malformed, or its type is not accepted. Obtain a new one."
    );
    public static readonly CallerResult Signature = CallerResult.Refused(
        ProblemCodes.InvalidToken,
        "The signature of the access token is not valid. Obtain a new token."
    );
    public static readonly CallerResult Issuer = CallerResult.Refused(
        ProblemCodes.InvalidToken,
        "The access token has an issuer or audience that this API does not accept. Obtain a token for this API."
    );
    public static readonly CallerResult Client = CallerResult.Refused(
        ProblemCodes.InvalidToken,
        "This API does not accept access tokens of this client."
    );
    public static readonly CallerResult NotYet = CallerResult.Refused(ProblemCodes.InvalidToken, "The access token is not valid yet.");
    public static readonly CallerResult Claims = CallerResult.Refused(
        ProblemCodes.InvalidToken,
        "A required claim of the access token is missing or malformed."
    );
    public static readonly CallerResult Inactive = CallerResult.Refused(
        ProblemCodes.InvalidToken,
        "The access token is not active. Obtain a new one."
    );
    public static readonly CallerResult Repeated = CallerResult.Refused(
        ProblemCodes.InvalidToken,
        "The request has several tokens. Send one Authorization header with one token."
    );
    public static readonly CallerResult InQuery = CallerResult.Refused(
        ProblemCodes.InvalidToken,
        "A token in the query is not accepted. Send it in the Authorization header."
    );
    public static readonly CallerResult Expired = CallerResult.Refused(ProblemCodes.TokenExpired);
    public static readonly CallerResult Unavailable = new(
        null,
        new Problem(ProblemCodes.UpstreamUnavailable)
        {
            Detail = "The access token cannot be verified at the moment. Wait as long as Retry-After says, then try again.",
            RetryAfter = TimeSpan.FromSeconds(2),
        }
    );
}
