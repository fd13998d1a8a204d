using Bff.Dev.Upstreams.Faults;

namespace Bff.TestKit.Failures;

/// <summary>What a composition makes of a way to fail.</summary>
public enum Ending
{
    /// <summary>502 <c>upstream_failed</c>, or <c>failed</c>.</summary>
    Failed,

    /// <summary>504 <c>upstream_timeout</c>, or <c>timeout</c>.</summary>
    Timeout,
}

/// <summary>What a pass-through makes of it: only the head of an answer is the gateway's business.</summary>
public enum Passage
{
    /// <summary>A problem of the gateway's, as <see cref="Ending"/> says.</summary>
    Problem,

    /// <summary>The service's own refusal.</summary>
    Refusal,

    /// <summary>The connection breaks where the service's broke.</summary>
    Broken,

    /// <summary>The answer as it is.</summary>
    AsItIs,
}

/// <summary>One way in which a service fails, and what is specified for it.</summary>
/// <param name="Name">For the test's name.</param>
/// <param name="Fault">What the service does.</param>
/// <param name="Ending">In a composition.</param>
/// <param name="Passage">On a pass-through.</param>
public sealed record FailureWay(string Name, Fault Fault, Ending Ending, Passage Passage)
{
    /// <summary>Longer than every time-out of the matrix, shorter than a test's limit.</summary>
    private const int Late = 20_000;

    /// <summary>Services that fail so; null: all.</summary>
    public string? Only { get; private init; }

    /// <summary>Every way to fail.</summary>
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
