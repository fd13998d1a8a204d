using Bff.Requests;
using Bff.State;

namespace Bff.Edge;

/// <summary>Maps exceptions to problems, for whole responses and for the items of a batch.</summary>
public static class ExceptionProblem
{
    /// <summary>Returns the problem of a <see cref="ProblemException"/>; 503 for an unavailable store; null for other exceptions.</summary>
    public static Problem? Of(Exception failure) =>
        failure switch
        {
            ProblemException refused => refused.Problem,
            StoreException => new Problem(ProblemCodes.StoreUnavailable) { RetryAfter = TimeSpan.FromSeconds(1) },
            _ => null,
        };
}
