using Bff.Dev.Upstreams.Faults;

namespace Bff.TestKit.Failures;

/// <summary>How a composition reports a failure.</summary>
public enum Ending
{
    /// <summary>502 <c>upstream_failed</c>, or <c>failed</c>.</summary>
    Failed,

    /// <summary>504 <c>upstream_timeout</c>, or <c>timeout</c>.</summary>
    Timeout,
}

/// <summary>How a pass-through reports a failure: the gateway judges only the head of an answer.</summary>
public enum Passage
{
    /// <summary>A problem of the gateway, according to <see cref="Ending"/>.</summary>
    Problem,

    /// <summary>The service's own refusal.</summary>
    Refusal,

    /// <summary>The connection breaks where the service's connection broke.</summary>
    Broken,

    /// <summary>The answer unchanged.</summary>
    AsItIs,
}

/// <summary>One way in which a service fails, and the specified result.</summary>
/// <param name="Name">Name for the test.</param>
/// <param name="Fault">The service's fault.</param>
/// <param name="Ending">Result in a composition.</param>
/// <param name="Passage">Result on a pass-through.</param>
public sealed record FailureWay(string Name, Fault Fault, Ending Ending, Passage Passage)
{
    /// <summary>Longer than every timeout of the matrix, shorter than a test's limit.</summary>
    private const int Late = 20_000;

    /// <summary>The only service that can fail in this way; null for all.</summary>
    public string? Only { get; private init; }

    /// <summary>All ways to fail.</summary>
    public static IReadOnlyList<FailureWay> All { get; } =
    [
        new("late", new() { Mode = FaultMode.Delay, DelayMs = Late }, Ending.Timeout, Passage.Problem),
        new("hang", new() { Mode = FaultMode.Hang }, Ending.Timeout, Passage.Problem),
        new("endless", new() { Mode = FaultMode.Endless }, Ending.Timeout, Passage.AsItIs),
        new("500", new() { Mode = FaultMode.Status, Status = 500 }, Ending.Failed, Passage.Problem),
        new(
            "503",
            new()
            {
                Mode = FaultMode.Status,
                Status = 503,
                RetryAfter = 1,
            },
            Ending.Failed,
            Passage.Problem
        ),
        new(
            "429",
            new()
            {
                Mode = FaultMode.Status,
                Status = 429,
                RetryAfter = 1,
            },
            Ending.Failed,
            Passage.Refusal
        ),
        new("reset", new() { Mode = FaultMode.Reset }, Ending.Failed, Passage.Problem),
        new("reset-mid-body", new() { Mode = FaultMode.ResetMidBody }, Ending.Failed, Passage.Broken),
        new("garbage", new() { Mode = FaultMode.Garbage }, Ending.Failed, Passage.AsItIs),
        new("html", new() { Mode = FaultMode.Html }, Ending.Failed, Passage.AsItIs),
        new("bomb", new() { Mode = FaultMode.Bomb }, Ending.Failed, Passage.AsItIs),
        new("oversize", new() { Mode = FaultMode.Oversize }, Ending.Failed, Passage.AsItIs),
        new("wrong-type", new() { Mode = FaultMode.WrongType }, Ending.Failed, Passage.AsItIs),
        new("truncated", new() { Mode = FaultMode.Truncated }, Ending.Failed, Passage.AsItIs),
        new("empty", new() { Mode = FaultMode.Empty }, Ending.Failed, Passage.AsItIs),
        new("graphql-errors", new() { Mode = FaultMode.Status, Status = 200 }, Ending.Failed, Passage.AsItIs) { Only = "pricing" },
        new("grpc-deadline", new() { Mode = FaultMode.Status, Status = 4 }, Ending.Timeout, Passage.AsItIs) { Only = "catalog" },
        new("grpc-exhausted", new() { Mode = FaultMode.Status, Status = 8 }, Ending.Failed, Passage.AsItIs) { Only = "catalog" },
        new("grpc-unavailable", new() { Mode = FaultMode.Status, Status = 14 }, Ending.Failed, Passage.AsItIs) { Only = "catalog" },
    ];

    public override string ToString() => Name;
}
