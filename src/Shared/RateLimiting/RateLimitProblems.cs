using Bff.Edge;
using Bff.Requests;

namespace Bff.RateLimiting;

/// <summary>Turns decisions into problems.</summary>
internal static class RateLimitProblems
{
    /// <summary>Returns the problem to answer with. Null for an admitted request.</summary>
    public static Problem? Of(in Decision decision) =>
        decision switch
        {
            { Outcome: DecisionOutcome.Admitted } => null,
            { Refusal: { } refusal } => new Problem(refusal.IsQuota ? ProblemCodes.QuotaExceeded : ProblemCodes.RateLimitExceeded)
            {
                RetryAfter = TimeSpan.FromSeconds(refusal.RetryAfterSeconds),
                Extensions = new Dictionary<string, object>
                {
                    ["limit"] = refusal.Limit,
                    ["window"] = refusal.WindowSeconds,
                    ["retryAfter"] = refusal.RetryAfterSeconds,
                    ["violated-policies"] = refusal.Violated,
                },
            },
            _ => new Problem(ProblemCodes.StoreUnavailable) { RetryAfter = TimeSpan.FromSeconds(1) },
        };
}
