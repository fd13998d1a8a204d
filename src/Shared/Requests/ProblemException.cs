namespace Bff.Requests;

/// <summary>Carries a problem out of code that cannot return one; the edge answers with it.</summary>
/// <param name="problem">What the client is told.</param>
/// <param name="inner">The cause, for the log.</param>
#pragma warning disable CA1032 // Without a problem it would say nothing.
public sealed class ProblemException(Problem problem, Exception? inner = null) : Exception(problem.Code.Code, inner)
#pragma warning restore CA1032
{
    /// <summary>What the client is told.</summary>
    public Problem Problem { get; } = problem;
}
