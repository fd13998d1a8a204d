namespace Bff.TestKit.Failures;

/// <summary>How an endpoint answers.</summary>
public enum AnswerKind
{
    /// <summary>Composed of parts.</summary>
    Composed,

    /// <summary>Made from one file of a service; its problems name no section.</summary>
    File,

    /// <summary>The service's own answer.</summary>
    PassThrough,

    /// <summary>207 with one result per item.</summary>
    Batch,
}

/// <summary>How a row's request may be sent to its services.</summary>
public enum Sending
{
    /// <summary>A read: repeated once at most.</summary>
    Read,

    /// <summary>A write without a key: exactly once.</summary>
    Once,

    /// <summary>A write with a key: repeated under that key alone.</summary>
    UnderOneKey,
}

/// <summary>One part of an endpoint's answer.</summary>
/// <param name="Name">As in <c>_meta</c> and <c>section</c>.</param>
/// <param name="Upstream">The service that is asked.</param>
/// <param name="IsRequired">Whether its failure is the request's.</param>
/// <param name="Members">Of the answer: null when the part failed.</param>
public sealed record FailurePart(string Name, string Upstream, bool IsRequired, params IReadOnlyList<string> Members)
{
    /// <summary>The part that must be there first.</summary>
    public string? After { get; init; }

    /// <summary>Something stands in: <c>fallback</c>, and no member is null.</summary>
    public bool HasStandIn { get; init; }
}

/// <summary>One endpoint.</summary>
/// <param name="Route">Method and pattern, as the host maps it.</param>
/// <param name="Kind">How it answers.</param>
/// <param name="Ask">Makes a request that succeeds while the services are well.</param>
/// <param name="Parts">All of them.</param>
public sealed record FailureRow(
    string Route,
    AnswerKind Kind,
    Func<FailureLane, HttpRequestMessage> Ask,
    params IReadOnlyList<FailurePart> Parts
)
{
    public Sending Sending { get; init; }

    public override string ToString() => Sending == Sending.UnderOneKey ? Route + " (keyed)" : Route;
}

/// <summary>Whose requests run one after the other; other lanes run beside them, with callers, products and orders of their own.</summary>
/// <param name="Number">From 0.</param>
/// <param name="User">A user's id.</param>
/// <param name="Product">A product that may be ordered.</param>
/// <param name="Order">An order of the lane's caller.</param>
public sealed record FailureLane(int Number, string User, string Product, string Order);
