using Bff.Requests;
using Bff.State;

namespace Bff.Edge;

/// <summary>What an exception is to the client; one place for answers and for the items of a batch.</summary>
public static class ExceptionProblem
{
    /// <summary>The problem that a <see cref="ProblemException"/> carries; 503 for a store that is away; null for everything else.</summary>
    public static Problem? Of(Exception failure) =>
        failure switch
        {
            ProblemException refused => refused.Problem,
            StoreException => new Problem(ProblemCodes.StoreUnavailable) { RetryAfter = TimeSpan.FromSeconds(1) },
            _ => null,
        };
}
