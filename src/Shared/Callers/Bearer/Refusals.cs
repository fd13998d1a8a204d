using Bff.Requests;

namespace Bff.Callers.Bearer;

/// <summary>The refusals of tokens. They are created once, so that a refused token costs little.</summary>
internal static class Refusals
{
    public static readonly CallerResult Malformed = CallerResult.Refused(
        ProblemCodes.InvalidToken,
        "The access token is malformed or of a kind that is not accepted."
    );
    public static readonly CallerResult Signature = CallerResult.Refused(
        ProblemCodes.InvalidToken,
        "The access token's signature does not verify."
    );
    public static readonly CallerResult Issuer = CallerResult.Refused(
        ProblemCodes.InvalidToken,
        "The access token is from another issuer or for another audience."
    );
    public static readonly CallerResult Client = CallerResult.Refused(
        ProblemCodes.InvalidToken,
        "The access token is of a client whose tokens are not accepted."
    );
    public static readonly CallerResult NotYet = CallerResult.Refused(ProblemCodes.InvalidToken, "The access token is not valid yet.");
    public static readonly CallerResult Claims = CallerResult.Refused(
        ProblemCodes.InvalidToken,
        "A claim of the access token is missing or malformed."
    );
    public static readonly CallerResult Inactive = CallerResult.Refused(ProblemCodes.InvalidToken, "The access token is not active.");
    public static readonly CallerResult Repeated = CallerResult.Refused(
        ProblemCodes.InvalidToken,
        "Send one Authorization header with one token."
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
            Detail = "The token cannot be verified now. Try again after Retry-After.",
            RetryAfter = TimeSpan.FromSeconds(2),
        }
    );
}
